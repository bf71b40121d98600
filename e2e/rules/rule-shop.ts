/** A shop on loopback with product pages, and pages that mean harm; it remembers how often each was asked for. */
import { createServer } from "node:http";

export interface RuleShop {
  readonly origin: string;
  /** Sets what a path answers; `body` stands inside <body>. */
  page(path: string, head: string, body?: string): void;
  close(): void;
}

export const PRODUCT_LD = `<script type="application/ld+json">{"@type":"Product","name":"Blue chair","offers":{"price":"129"}}</script>`;

export async function startRuleShop(): Promise<RuleShop> {
  const pages = new Map<string, string>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://shop.invalid");
    const page = pages.get(pathname);
    response.writeHead(page === undefined ? 404 : 200, {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
    });
    response.end(page ?? "Not here.");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    page(path, head, body = "") {
      pages.set(path, `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`);
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
