// How Mantine's components take their looks from theme.css, the one place for colours and type.
import {
  createTheme,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineColorScheme,
  type MantineColorSchemeManager,
} from "@mantine/core";

const teal: MantineColorsTuple = [
  "#e6f6f5", "#cfeae8", "#9fd6d2", "#6cc2bc", "#3fada6",
  "#19958e", "#0b7a75", "#085e5a", "#064946", "#043533",
];

export const theme = createTheme({
  colors: { teal },
  primaryColor: "teal",
  primaryShade: { light: 6, dark: 6 },
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.55rem", lineHeight: "1.25" },
      h2: { fontSize: "1.1rem", lineHeight: "1.3" },
      h3: { fontSize: "1rem", lineHeight: "1.35" },
    },
  },
  components: {
    Table: { defaultProps: { verticalSpacing: "xs", highlightOnHover: true } },
    Modal: { defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.45 } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: false } } },
    Menu: { defaultProps: { radius: "md", shadow: "md" } },
  },
});

const shared = {
  "--mantine-color-body": "var(--ground)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--soft)",
  "--mantine-color-anchor": "var(--smalti)",
  "--mantine-color-default": "var(--card)",
  "--mantine-color-default-border": "var(--line)",
  "--mantine-color-default-hover": "var(--raised)",
  "--mantine-color-placeholder": "var(--soft)",
  "--mantine-color-error": "var(--bad)",
  "--mantine-color-disabled-color": "var(--soft)",
  "--table-border-color": "var(--line)",
};

// The grounds of fields and boxes in the dark, which Mantine takes from its greys.
const fields = {
  "--mantine-color-dark-4": "var(--edge)",
  "--mantine-color-dark-5": "var(--line)",
  "--mantine-color-dark-6": "var(--ground)",
};

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: shared,
  dark: { ...shared, ...fields },
});

const KEY = "smalti-scheme";

/** Keeps the choice of light or dark where scheme.js, which runs before the first paint, finds it. */
export function schemeManager(): MantineColorSchemeManager {
  let stop: (() => void) | undefined;
  return {
    get: (fallback) => read() ?? fallback,
    set(value) {
      try {
        localStorage.setItem(KEY, value);
      } catch {
        return; // a browser that keeps nothing: the choice holds for this page
      }
    },
    subscribe(onUpdate) {
      const hear = (event: StorageEvent) => {
        if (event.key === KEY) onUpdate(read() ?? "auto");
      };
      addEventListener("storage", hear);
      stop = () => removeEventListener("storage", hear);
    },
    unsubscribe: () => stop?.(),
    clear: () => localStorage.removeItem(KEY),
  };
}

function read(): MantineColorScheme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" || value === "auto" ? value : undefined;
  } catch {
    return undefined;
  }
}
