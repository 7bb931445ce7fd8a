// The console's addresses. What they begin with stands in services/console/handlers.py as well,
// which a test compares. Each page is a part of its own, fetched when it is first gone to.
import { createBrowserRouter, type RouteObject } from "react-router";

import { PREFIX } from "./api/client";
import { PageProblem } from "./shell/PageProblem";
import { Shell } from "./shell/Shell";
import { NoSuchPage } from "./shell/NoSuchPage";

/** Before the first page's own part is there: an empty page, for a moment. */
function Starting() {
  return null;
}

type Page = () => React.ReactNode;

function lazy(load: () => Promise<Page>): Pick<RouteObject, "lazy"> {
  return { lazy: async () => ({ Component: await load() }) };
}

export const routes: RouteObject[] = [
  {
    path: "/",
    Component: Shell,
    HydrateFallback: Starting,
    ErrorBoundary: PageProblem,
    children: [
      {
        ErrorBoundary: PageProblem,
        children: [
          { index: true, ...lazy(async () => (await import("./overview/OverviewPage")).OverviewPage) },
          { path: "projects", ...lazy(async () => (await import("./projects/ProjectsPage")).ProjectsPage) },
          {
            path: "projects/:projectId",
            ...lazy(async () => (await import("./projects/ProjectLayout")).ProjectLayout),
            children: [
              { index: true, ...lazy(async () => (await import("./projects/ReadmePage")).ReadmePage) },
              { path: "files/*", ...lazy(async () => (await import("./files/FilesPage")).FilesPage) },
              { path: "history", ...lazy(async () => (await import("./files/HistoryPage")).HistoryPage) },
              { path: "history/:commit", ...lazy(async () => (await import("./files/CommitPage")).CommitPage) },
              { path: "jobs", ...lazy(async () => (await import("./projects/ProjectJobsPage")).ProjectJobsPage) },
              { path: "workspaces", ...lazy(async () => (await import("./workspaces/ProjectWorkspacesPage")).ProjectWorkspacesPage) },
              { path: "experiments", ...lazy(async () => (await import("./experiments/ExperimentsPage")).ExperimentsPage) },
              { path: "experiments/compare", ...lazy(async () => (await import("./experiments/CompareRunsPage")).CompareRunsPage) },
              { path: "experiments/runs/:runId", ...lazy(async () => (await import("./experiments/RunPage")).RunPage) },
              { path: "models", ...lazy(async () => (await import("./models/ModelsPage")).ModelsPage) },
              { path: "models/:model", ...lazy(async () => (await import("./models/ModelPage")).ModelPage) },
              { path: "secrets", ...lazy(async () => (await import("./secrets/ProjectSecretsPage")).ProjectSecretsPage) },
              { path: "members", ...lazy(async () => (await import("./projects/MembersPage")).MembersPage) },
              { path: "settings", ...lazy(async () => (await import("./projects/SettingsPage")).SettingsPage) },
            ],
          },
          { path: "jobs", ...lazy(async () => (await import("./jobs/JobsPage")).JobsPage) },
          { path: "jobs/compare", ...lazy(async () => (await import("./jobs/ComparePage")).ComparePage) },
          { path: "jobs/:jobId", ...lazy(async () => (await import("./jobs/JobPage")).JobPage) },
          { path: "workspaces", ...lazy(async () => (await import("./workspaces/WorkspacesPage")).WorkspacesPage) },
          { path: "workspaces/:workspaceId", ...lazy(async () => (await import("./workspaces/WorkspacePage")).WorkspacePage) },
          { path: "secrets", ...lazy(async () => (await import("./secrets/SecretsPage")).SecretsPage) },
          { path: "environments", ...lazy(async () => (await import("./environments/EnvironmentsPage")).EnvironmentsPage) },
          { path: "tokens", ...lazy(async () => (await import("./tokens/TokensPage")).TokensPage) },
          { path: "profile", ...lazy(async () => (await import("./people/ProfilePage")).ProfilePage) },
          { path: "admin", ...lazy(async () => (await import("./shell/AdminPage")).AdminPage) },
          { path: "admin/people", ...lazy(async () => (await import("./people/PeoplePage")).PeoplePage) },
          { path: "admin/executions", ...lazy(async () => (await import("./jobs/ExecutionsPage")).ExecutionsPage) },
          { path: "admin/tiers", ...lazy(async () => (await import("./planes/TiersPage")).TiersPage) },
          { path: "admin/planes", ...lazy(async () => (await import("./planes/PlanesPage")).PlanesPage) },
          { path: "admin/audit", ...lazy(async () => (await import("./audit/AuditPage")).AuditPage) },
          { path: "admin/health", ...lazy(async () => (await import("./health/HealthPage")).HealthPage) },
          { path: "*", Component: NoSuchPage },
        ],
      },
    ],
  },
];

export const router = createBrowserRouter(routes, { basename: PREFIX });
