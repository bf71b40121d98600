/** The browser flags without which a proxy is no guard. Started by the web driver, proven by `hostile.test.ts`. */

/**
 * Sends everything the browser does through the proxy on this loopback port. Chromium by itself goes around a proxy
 * for loopback and 169.254.0.0/16, speaks QUIC, and sends WebRTC's UDP from its own sockets. Both WebRTC flags are
 * needed: the headless shell heeds only the first, full Chromium only the second.
 */
export function egressFlags(proxyPort: number): readonly string[] {
  return [
    `--proxy-server=http://127.0.0.1:${proxyPort}`,
    "--proxy-bypass-list=<-loopback>",
    // Nothing is resolved or reached but the proxy, also by code that forgets the proxy.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
  ];
}
