// Where `/admin` leads.
import { Navigate } from "react-router";

export function AdminPage() {
  return <Navigate to="/admin/health" replace />;
}
