/** A started browser with a profile and the phone's own page ready, not yet anybody's phone. */
import type { Browser } from "./browser.ts";
import { userAgent } from "./emulation.ts";
import { BrowserProcess } from "./process.ts";
import type { WebPhoneStorage } from "./storage.ts";
import { SystemScreen } from "./system-screen.ts";
import { Tabs } from "./tabs.ts";

export interface Egress {
  readonly port: number;
  /** While cut off, nothing gets through. */
  cutOff(on: boolean): void;
  close(): Promise<void>;
}

export interface WarmBrowser {
  readonly browser: Browser;
  readonly process: BrowserProcess;
  readonly tabs: Tabs;
  readonly system: SystemScreen;
  readonly egress: Egress;
}

export interface WarmUpOptions {
  readonly browser: Browser;
  readonly storage: WebPhoneStorage;
  readonly sandbox: boolean;
  readonly egress: () => Promise<Egress>;
}

/**
 * Starts a browser on a profile; leaves nothing running when it fails.
 * @throws PerchError `phone_unavailable`
 */
export async function warmUp(options: WarmUpOptions, profile: string): Promise<WarmBrowser> {
  const egress = await options.egress();
  let process: BrowserProcess | undefined;
  try {
    process = await BrowserProcess.start({
      browser: options.browser,
      storage: options.storage,
      profile,
      proxyPort: egress.port,
      sandbox: options.sandbox,
      userAgent: userAgent(options.browser.version, false),
    });
    const tabs = new Tabs(process.cdp);
    await tabs.start();
    const system = await SystemScreen.create(tabs);
    const { cdp } = process;
    const started = process;
    // Without its own page the phone can show no question and no problem: that is the end of it.
    cdp.browser.on("Target.targetCrashed", ({ targetId }) => {
      if (targetId === system.targetId) started.kill().catch(() => undefined);
    });
    return { browser: options.browser, process, tabs, system, egress };
  } catch (error) {
    await process?.kill();
    await egress.close();
    throw error;
  }
}
