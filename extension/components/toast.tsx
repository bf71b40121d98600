import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import "./toast.css";

export interface ToastInput {
  readonly text: string;
  readonly tone?: "info" | "error";
  /** E.g. "Undo". */
  readonly action?: { readonly label: string; readonly onSelect: () => void };
  /** Watches, while the toast is there, for what makes it pointless and calls back then; returns how to stop. */
  readonly until?: (onPointless: () => void) => () => void;
}

interface Toast extends ToastInput {
  readonly id: number;
}

/** Long enough to read and to reach Undo; errors stay until closed. */
const TOAST_MS = 7_000;
const MOST_TOASTS = 3;

const ToastContext = createContext<((toast: ToastInput) => void) | undefined>(undefined);

/** Shows short messages over the bottom of its children. */
export function ToastRegion({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const next = useRef(1);
  const remove = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback((toast: ToastInput) => {
    const id = next.current++;
    setToasts((all) => [...all, { ...toast, id }].slice(-MOST_TOASTS));
  }, []);
  return (
    <ToastContext value={show}>
      {children}
      <div className="toast-region" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <ToastLine key={toast.id} toast={toast} onDone={() => remove(toast.id)} />
        ))}
      </div>
    </ToastContext>
  );
}

function ToastLine({ toast, onDone }: { readonly toast: Toast; readonly onDone: () => void }) {
  const done = useRef(onDone);
  done.current = onDone;
  const [held, setHeld] = useState(false);
  const stays = toast.tone === "error" || held;
  useEffect(() => {
    if (stays) return;
    const timer = setTimeout(() => done.current(), TOAST_MS);
    return () => clearTimeout(timer);
  }, [stays]);
  const { action, until } = toast;
  useEffect(() => until?.(() => done.current()), [until]);
  const hold = useMemo(
    () => ({
      onPointerEnter: () => setHeld(true),
      onPointerLeave: () => setHeld(false),
      onFocus: () => setHeld(true),
      onBlur: () => setHeld(false),
    }),
    [],
  );
  return (
    <div className={`toast${toast.tone === "error" ? " toast-error" : ""}`} {...hold}>
      <span className="toast-text">{toast.text}</span>
      {action !== undefined && (
        <Button
          kind="quiet"
          size="small"
          onClick={() => {
            onDone();
            action.onSelect();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton icon="close" label="Close" size="small" tooltip="left" onClick={onDone} />
    </div>
  );
}

/** Shows a toast; use inside a `ToastRegion`. */
export function useToast(): (toast: ToastInput) => void {
  const show = useContext(ToastContext);
  if (show === undefined) throw new Error("useToast needs a ToastRegion above it.");
  return show;
}
