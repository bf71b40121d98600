/** What the page script does. It knows no rule and no address: the worker takes both from the browser. */
import { sendFromPage } from "../platform/page-script.ts";

/** An address has to stand this long before anyone is told: a page that changes it without end wakes nobody. */
const QUIET_MS = 800;
/** How often to look for another address, where the browser does not tell of it. */
const LOOK_EVERY_MS = 1_000;

interface NavigationEvents {
  readonly navigation?: EventTarget;
}

export function announcePage(): void {
  // Put there twice, it speaks once. A page's own scripts do not see this name.
  const place = globalThis as { perchAnnounces?: true };
  if (place.perchAnnounces === true) return;
  place.perchAnnounces = true;
  let told = "";
  let waiting: ReturnType<typeof setTimeout> | undefined;
  // A fragment alone is the same page.
  const address = () => location.href.split("#", 1)[0] ?? "";
  const later = () => {
    clearTimeout(waiting);
    if (address() === told) return;
    waiting = setTimeout(() => {
      told = address();
      void sendFromPage({ perch: 1, type: "page_ready" });
    }, QUIET_MS);
  };
  const changed = (event: Event) => {
    if (event.isTrusted) later();
  };
  const begin = () => {
    later();
    const { navigation } = globalThis as NavigationEvents;
    if (navigation instanceof EventTarget) navigation.addEventListener("currententrychange", changed);
    else {
      let seen = address();
      addEventListener("popstate", changed);
      setInterval(() => {
        if (document.hidden || seen === address()) return;
        seen = address();
        later();
      }, LOOK_EVERY_MS);
    }
  };
  if ((document as { readonly prerendering?: boolean }).prerendering === true) {
    document.addEventListener("prerenderingchange", (event) => event.isTrusted && begin(), { once: true });
  } else begin();
}
