// The secrets of a project: in every run of it, whoever starts it.
import { useProject } from "../projects/ProjectLayout";
import { SecretsBrowser } from "./SecretsBrowser";

export function ProjectSecretsPage() {
  const { project, rights } = useProject();
  return <SecretsBrowser projectId={project.id} may={rights.edit} />;
}
