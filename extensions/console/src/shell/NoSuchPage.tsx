// An address that leads nowhere.
import { Button } from "@mantine/core";
import { Link } from "react-router";

export function NoSuchPage() {
  return (
    <div className="card empty">
      <h2>There is no such page</h2>
      <p>The address may be mistyped, or what it named may be gone.</p>
      <Button component={Link} to="/">Go to the overview</Button>
    </div>
  );
}
