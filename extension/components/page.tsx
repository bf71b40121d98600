/** What every extension page starts with: the stylesheet, strict mode, and a way out when it breaks. */
import "./tokens.css";
import { Component, type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";
import { ToastRegion } from "./toast.tsx";
import "./page.css";

/** Mounts a page into `<div id="root">`. */
export function mountPage(page: ReactNode): void {
  const root = document.getElementById("root");
  if (root === null) throw new Error("The page has no #root element.");
  createRoot(root).render(
    <StrictMode>
      <PageBoundary>
        <ToastRegion>{page}</ToastRegion>
      </PageBoundary>
    </StrictMode>,
  );
}

class PageBoundary extends Component<{ readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }
  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <div className="page-broken">
        <Notice
          tone="error"
          title="This page stopped working."
          action={<Button onClick={() => location.reload()}>Reload</Button>}
        >
          Your phones are not affected. Reload the page to go on.
        </Notice>
      </div>
    );
  }
}
