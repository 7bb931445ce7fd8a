// Where the console begins: looks, queries, addresses.
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./theme/console.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";

import { queryClient } from "./queries";
import { router } from "./router";
import { watchForNewBuild } from "./shell/newBuild";
import { styleNonce } from "./theme/nonce";
import { schemeManager, theme, variables } from "./theme/theme";

const nonce = styleNonce();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the console");
watchForNewBuild();

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={schemeManager()}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={queryClient()}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
