// One's own secrets: in every run that one starts, and in nobody else's.
import { PageHead } from "../parts/PageHead";
import { SecretsBrowser } from "./SecretsBrowser";

export function SecretsPage() {
  return (
    <>
      <PageHead title="Secrets" about="Variables of your runs, in whatever project, whose values nobody is shown. Whoever can change the code that you run can read them." />
      <SecretsBrowser projectId={null} may />
    </>
  );
}
