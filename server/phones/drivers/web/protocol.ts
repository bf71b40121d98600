/**
 * The part of the Chrome DevTools Protocol this driver speaks: commands as `[parameters, result]`, events as
 * their parameters. Shapes as documented at chromedevtools.github.io/devtools-protocol (tip of tree).
 */
export interface TargetInfo {
  readonly targetId: string;
  readonly type: string;
  readonly title: string;
  readonly url: string;
  readonly openerId?: string;
  /** The window has `window.opener`. */
  readonly canAccessOpener?: boolean;
}

export interface TouchPoint {
  readonly x: number;
  readonly y: number;
  readonly id: number;
}

export interface KeyEvent {
  readonly type: "rawKeyDown" | "keyDown" | "keyUp";
  readonly key: string;
  readonly code: string;
  readonly windowsVirtualKeyCode: number;
  readonly modifiers?: number;
  readonly text?: string;
  readonly commands?: readonly string[];
}

export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly session: boolean;
  readonly sameSite?: string;
}

type Nothing = Record<string, never>;
export interface TargetFilter {
  readonly type?: string;
  readonly exclude?: boolean;
}
interface RemoteValue {
  readonly result: { readonly value?: unknown; readonly objectId?: string };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

export interface Commands {
  "Browser.getVersion": [Nothing, { product: string }];
  "Browser.close": [Nothing, Nothing];
  "Browser.grantPermissions": [{ permissions: readonly string[] }, Nothing];
  "Browser.setPermission": [{ permission: { name: string }; setting: "granted" | "denied" | "prompt" }, Nothing];
  "Browser.setDownloadBehavior": [{ behavior: string; downloadPath: string; eventsEnabled: boolean }, Nothing];
  "Browser.cancelDownload": [{ guid: string }, Nothing];
  "Storage.getCookies": [Nothing, { cookies: readonly Cookie[] }];
  "Storage.setCookies": [{ cookies: readonly Omit<Cookie, "session">[] }, Nothing];
  "Storage.clearDataForOrigin": [{ origin: string; storageTypes: string }, Nothing];
  "Storage.overrideQuotaForOrigin": [{ origin: string; quotaSize: number }, Nothing];
  "Target.setDiscoverTargets": [{ discover: boolean; filter: readonly TargetFilter[] }, Nothing];
  "Target.setAutoAttach": [
    { autoAttach: boolean; waitForDebuggerOnStart: boolean; flatten: true; filter: readonly TargetFilter[] },
    Nothing,
  ];
  "Target.createTarget": [{ url: string; background?: boolean }, { targetId: string }];
  "Target.closeTarget": [{ targetId: string }, Nothing];
  "Target.getTargetInfo": [{ targetId: string }, { targetInfo: TargetInfo }];
  "Page.enable": [Nothing, Nothing];
  "Page.bringToFront": [Nothing, Nothing];
  "Page.getFrameTree": [Nothing, { frameTree: { frame: { id: string; url: string } } }];
  "Page.navigate": [{ url: string }, { frameId: string; errorText?: string }];
  "Page.reload": [Nothing, Nothing];
  "Page.stopLoading": [Nothing, Nothing];
  "Page.getNavigationHistory": [
    Nothing,
    { currentIndex: number; entries: readonly { id: number; url: string; title: string }[] },
  ];
  "Page.navigateToHistoryEntry": [{ entryId: number }, Nothing];
  "Page.setDocumentContent": [{ frameId: string; html: string }, Nothing];
  "Page.addScriptToEvaluateOnNewDocument": [{ source: string; worldName?: string }, { identifier: string }];
  "Page.setInterceptFileChooserDialog": [{ enabled: boolean }, Nothing];
  "Page.handleJavaScriptDialog": [{ accept: boolean; promptText?: string }, Nothing];
  "Page.setWebLifecycleState": [{ state: "frozen" | "active" }, Nothing];
  "Page.startScreencast": [
    { format: "jpeg"; quality: number; maxWidth: number; maxHeight: number; everyNthFrame: number },
    Nothing,
  ];
  "Page.stopScreencast": [Nothing, Nothing];
  "Page.screencastFrameAck": [{ sessionId: number }, Nothing];
  "Page.captureScreenshot": [
    { format: "png" | "jpeg"; quality?: number; optimizeForSpeed?: boolean },
    { data: string },
  ];
  "Page.getAppManifest": [Nothing, { url: string; data?: string }];
  "Network.emulateNetworkConditions": [
    { offline: boolean; latency: number; downloadThroughput: number; uploadThroughput: number },
    Nothing,
  ];
  "Network.enable": [Nothing, Nothing];
  "Network.disable": [Nothing, Nothing];
  "Network.getCookies": [{ urls: readonly string[] }, { cookies: readonly Cookie[] }];
  "Network.deleteCookies": [{ name: string; domain: string; path: string }, Nothing];
  "Network.loadNetworkResource": [
    { frameId: string; url: string; options: { disableCache: boolean; includeCredentials: boolean } },
    { resource: { success: boolean; stream?: string; headers?: Record<string, string> } },
  ];
  "IO.read": [{ handle: string; size?: number }, { data: string; eof: boolean; base64Encoded?: boolean }];
  "IO.close": [{ handle: string }, Nothing];
  "Fetch.enable": [{ patterns: readonly { urlPattern: string; resourceType?: string }[] }, Nothing];
  "Fetch.continueRequest": [{ requestId: string }, Nothing];
  "Fetch.failRequest": [{ requestId: string; errorReason: string }, Nothing];
  "Runtime.enable": [Nothing, Nothing];
  "Runtime.runIfWaitingForDebugger": [Nothing, Nothing];
  "Runtime.addBinding": [{ name: string; executionContextName?: string }, Nothing];
  "Runtime.evaluate": [
    { expression: string; contextId?: number; returnByValue?: boolean; awaitPromise?: boolean },
    RemoteValue,
  ];
  "Page.createIsolatedWorld": [{ frameId: string; worldName: string }, { executionContextId: number }];
  "DOM.describeNode": [{ objectId: string }, { node: { frameId?: string } }];
  "DOM.setFileInputFiles": [{ files: readonly string[]; backendNodeId: number }, Nothing];
  "Emulation.setDeviceMetricsOverride": [
    {
      width: number;
      height: number;
      deviceScaleFactor: number;
      mobile: boolean;
      screenWidth: number;
      screenHeight: number;
      screenOrientation: { type: string; angle: number };
    },
    Nothing,
  ];
  "Emulation.setTouchEmulationEnabled": [{ enabled: boolean; maxTouchPoints: number }, Nothing];
  "Emulation.setUserAgentOverride": [
    {
      userAgent: string;
      acceptLanguage?: string;
      platform: string;
      userAgentMetadata: {
        brands: readonly { brand: string; version: string }[];
        fullVersionList: readonly { brand: string; version: string }[];
        platform: string;
        platformVersion: string;
        architecture: string;
        model: string;
        mobile: boolean;
      };
    },
    Nothing,
  ];
  "Emulation.setLocaleOverride": [{ locale?: string }, Nothing];
  "Emulation.setTimezoneOverride": [{ timezoneId: string }, Nothing];
  "Emulation.setEmulatedMedia": [{ features: readonly { name: string; value: string }[] }, Nothing];
  "Emulation.setGeolocationOverride": [{ latitude?: number; longitude?: number; accuracy?: number }, Nothing];
  "Emulation.setFocusEmulationEnabled": [{ enabled: boolean }, Nothing];
  "Input.dispatchTouchEvent": [
    { type: "touchStart" | "touchMove" | "touchEnd" | "touchCancel"; touchPoints: readonly TouchPoint[] },
    Nothing,
  ];
  "Input.dispatchMouseEvent": [{ type: "mouseWheel"; x: number; y: number; deltaX: number; deltaY: number }, Nothing];
  "Input.dispatchKeyEvent": [KeyEvent, Nothing];
  "Input.insertText": [{ text: string }, Nothing];
  "Input.imeSetComposition": [{ text: string; selectionStart: number; selectionEnd: number }, Nothing];
}

export interface Events {
  "Target.attachedToTarget": { sessionId: string; targetInfo: TargetInfo; waitingForDebugger: boolean };
  "Target.detachedFromTarget": { sessionId: string };
  "Target.targetInfoChanged": { targetInfo: TargetInfo };
  "Target.targetDestroyed": { targetId: string };
  "Target.targetCrashed": { targetId: string; status: string };
  "Inspector.targetCrashed": Nothing;
  "Page.frameNavigated": { frame: { id: string; parentId?: string; url: string; unreachableUrl?: string } };
  "Page.domContentEventFired": Nothing;
  "Page.loadEventFired": Nothing;
  "Page.navigatedWithinDocument": { frameId: string; url: string };
  "Page.javascriptDialogOpening": {
    url: string;
    message: string;
    type: "alert" | "confirm" | "prompt" | "beforeunload";
    defaultPrompt?: string;
  };
  "Page.javascriptDialogClosed": { result: boolean };
  "Page.fileChooserOpened": { frameId: string; mode: "selectSingle" | "selectMultiple"; backendNodeId?: number };
  "Page.screencastFrame": { data: string; metadata: { timestamp?: number }; sessionId: number };
  "Runtime.bindingCalled": { name: string; payload: string; executionContextId: number };
  "Fetch.requestPaused": { requestId: string; frameId: string; resourceType: string; request: { url: string } };
  "Browser.downloadWillBegin": { frameId: string; guid: string; url: string; suggestedFilename: string };
  "Browser.downloadProgress": {
    guid: string;
    totalBytes: number;
    receivedBytes: number;
    state: "inProgress" | "completed" | "canceled";
  };
}
