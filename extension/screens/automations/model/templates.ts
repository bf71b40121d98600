/** Automations to start from. Each is a valid flow; what to change is said in a comment. */
import type { IconName } from "../../../components/icon.tsx";

export interface FlowTemplate {
  readonly id: "empty" | "screenshot" | "form" | "smoke";
  readonly name: string;
  /** What it does, in one line. */
  readonly about: string;
  readonly icon: IconName;
  readonly source: string;
}

export const EMPTY_FLOW: FlowTemplate = {
  id: "empty",
  name: "New automation",
  about: "Start from two lines",
  icon: "plus",
  source: `# The page to start from.
url: https://example.com
---
- launchApp
`,
};

export const TEMPLATES: readonly FlowTemplate[] = [
  {
    id: "screenshot",
    name: "Open a page and take a picture",
    about: "Opens an address and keeps a screenshot",
    icon: "camera",
    source: `# The page to open.
url: https://example.com
---
- launchApp
- waitForAnimationToEnd
- takeScreenshot: page
`,
  },
  {
    id: "form",
    name: "Fill in a form",
    about: "Asks you for the values, types them and sends",
    icon: "edit",
    source: `# The page with the form, and what to ask for before each run.
url: https://example.com/contact
inputs:
  - name: EMAIL
    description: Your e-mail address
  - name: MESSAGE
    description: What to write
    default: Hello
---
- launchApp
# Use the labels your form shows.
- tapOn: Email
- inputText: \${EMAIL}
- tapOn: Message
- inputText: \${MESSAGE}
- tapOn: Send
- assertVisible: Thank you.*
`,
  },
  {
    id: "smoke",
    name: "Check that a page works",
    about: "Opens a page and fails if something is missing",
    icon: "check",
    source: `# The page to check.
url: https://example.com
---
- launchApp
# Text that must be there; .* stands for anything.
- assertVisible: Example Domain
- assertNotVisible: .*error.*
- takeScreenshot: checked
`,
  },
];
