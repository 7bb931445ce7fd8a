// The API's shapes under the names that the console uses. Types only.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Job = Schemas["JobView"];
export type JobStatus = Job["status"];
export type Project = Schemas["ProjectView"];
export type ProjectRole = Schemas["ProjectRole"];
export type PlatformRole = Schemas["PlatformRole"];
export type Member = Schemas["MemberView"];
export type Me = Schemas["MeView"];
export type Person = Schemas["PersonView"];
export type Token = Schemas["TokenView"];
export type NewToken = Schemas["NewTokenView"];
export type Plane = Schemas["PlaneView"];
export type Tier = Schemas["HardwareTierView"];
export type TierCreate = Schemas["HardwareTierCreate"];
export type Environment = Schemas["EnvironmentView"];
export type Revision = Schemas["RevisionView"];
export type FileEntry = Schemas["FileView"];
export type Folder = Schemas["FilesView"];
export type Commit = Schemas["CommitView"];
export type Branch = Schemas["BranchView"];
export type Output = Schemas["OutputView"];
export type Metrics = Schemas["MetricsView"];
export type Sample = Schemas["SampleView"];
export type Comparison = Schemas["CompareView"];
export type AuditEvent = Schemas["AuditEventView"];
export type Health = Schemas["HealthView"];
export type Workspace = Schemas["WorkspaceView"];
export type WorkspaceStatus = Workspace["status"];
export type Snapshot = Schemas["SnapshotView"];
export type Secret = Schemas["SecretView"];
export type Experiment = Schemas["ExperimentView"];
export type ExperimentRun = Schemas["ExperimentRunView"];
export type Model = Schemas["ModelView"];
export type ModelVersion = Schemas["ModelVersionView"];
export type Lineage = Schemas["LineageView"];
export type FileDifference = Schemas["FileDifference"];

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
