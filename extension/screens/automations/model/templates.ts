/** Automations to start from. Each is a valid flow; what to change is said in a comment. */
import type { IconName } from "../../../components/icon.tsx";

export interface FlowTemplate {
  readonly id: "empty" | "open" | "install" | "login" | "collect" | "form" | "smoke";
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
    id: "open",
    name: "Open a page",
    about: "Opens an address and keeps a picture of it",
    icon: "globe",
    source: `# The page to open.
url: https://example.com
---
- launchApp
- waitForAnimationToEnd
- takeScreenshot: page
`,
  },
  {
    id: "install",
    name: "Install a web app",
    about: "Opens a web app and takes its own offer to install",
    icon: "install",
    source: `# The web app's address.
url: https://example.com/app
---
- launchApp
# The words its own button shows; | stands between choices.
- tapOn: Install|Install app|Add to home screen
# Many ask once more.
- runFlow:
    when:
      visible: Install now|Add|OK
    commands:
      - tapOn: Install now|Add|OK
- waitForAnimationToEnd
- takeScreenshot: installed
`,
  },
  {
    id: "login",
    name: "Log in",
    about: "Signs in with a secret that nobody sees",
    icon: "key",
    source: `# The page with the log-in form. Set the secret on the Automations screen, under ⋯ Secrets.
url: https://example.com/login
inputs:
  - name: EMAIL
    description: Your e-mail address
secrets:
  - PASSWORD
---
- launchApp
# Use the labels your form shows.
- tapOn: Email
- inputText: \${EMAIL}
- tapOn: Password
- inputText: \${PASSWORD}
- tapOn: Log in
# What only someone who is logged in sees.
- assertVisible: Welcome.*
`,
  },
  {
    id: "collect",
    name: "Collect text from a list",
    about: "Copies the text of every entry into the run's log",
    icon: "copy",
    source: `# The page with the list.
url: https://example.com/list
---
- launchApp
- evalScript: \${output.texts = []}
- repeat:
    # At most this many.
    times: 20
    while:
      visible:
        # What the entries are, as a CSS selector.
        css: main li
        index: \${output.texts.length}
    commands:
      - copyTextFrom:
          css: main li
          index: \${output.texts.length}
      - evalScript: \${output.texts.push(maestro.copiedText)}
- evalScript: \${console.log(output.texts.join("\\n"))}
- assertTrue: \${output.texts.length > 0}
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
    name: "Smoke test",
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
