/**
 * Who drives a phone: one controller, any number of viewers. Control is asked for and handed over; only who manages the
 * team may take it, and whoever had it is told. A controller that loses its connection keeps control for a moment, for
 * the same session's return. Pure.
 */
import type { CredentialId, ViewerId } from "../../shared/ids.ts";

/** How long control waits for a lost controller's session. */
export const CONTROL_GRACE_MS = 5_000;

export interface ControlViewer {
  readonly id: ViewerId;
  readonly sessionId: CredentialId;
  /** The name others see. */
  readonly name: string;
  /** Whether this viewer may hold control. */
  readonly mayControl: boolean;
  /** Whether it may take control from another. */
  readonly mayTake: boolean;
}

export interface Control {
  /** A viewer came; one that may control gets control when it is free or kept for its session. */
  join(now: number, viewer: ControlViewer): void;
  leave(now: number, id: ViewerId): void;
  /** Asks the controller for control, or takes it when there is none. */
  ask(now: number, id: ViewerId): void;
  /** Takes control, whoever has it; nothing happens when the viewer may not. */
  take(id: ViewerId): void;
  /** The controller hands control to the first who asked. */
  give(id: ViewerId): void;
  /** The controller says no to the first who asked; returns who that was. */
  decline(id: ViewerId): ViewerId | undefined;
  /** The controller stops controlling; the first who asked gets control, else it is free. */
  release(id: ViewerId): void;
  /** A viewer may do more or less from now on; one that may no longer control stops at once. */
  allow(id: ViewerId, rights: Pick<ControlViewer, "mayControl" | "mayTake">): void;
  /** Lets a reservation run out. Returns true when something changed. */
  expire(now: number): boolean;
  controller(): ControlViewer | undefined;
  /** Whether this viewer could take control from somebody now. */
  couldTake(id: ViewerId): boolean;
  /** Whether control is kept for a lost controller's return. */
  reserved(): boolean;
  /** Who asks, first come first. */
  asking(): ControlViewer | undefined;
}

export function createControl(): Control {
  const viewers = new Map<ViewerId, ControlViewer>();
  let controller: ControlViewer | undefined;
  let queue: ViewerId[] = [];
  let reserved: { readonly sessionId: CredentialId; readonly until: number } | undefined;

  function hand(to: ControlViewer | undefined): void {
    controller = to;
    reserved = undefined;
    if (to !== undefined) queue = queue.filter((id) => id !== to.id);
  }
  function firstAsking(): ControlViewer | undefined {
    const id = queue[0];
    return id === undefined ? undefined : viewers.get(id);
  }
  function expire(now: number): boolean {
    if (reserved === undefined || now < reserved.until) return false;
    hand(firstAsking());
    return true;
  }
  function isFreeFor(viewer: ControlViewer): boolean {
    return controller === undefined && (reserved === undefined || reserved.sessionId === viewer.sessionId);
  }

  /** The viewer, when it may take control and does not have it. */
  function taker(id: ViewerId): ControlViewer | undefined {
    const viewer = viewers.get(id);
    return viewer?.mayControl && viewer.mayTake && controller?.id !== id ? viewer : undefined;
  }

  return {
    join(now, viewer) {
      expire(now);
      viewers.set(viewer.id, viewer);
      if (viewer.mayControl && isFreeFor(viewer)) hand(viewer);
    },
    leave(now, id) {
      viewers.delete(id);
      queue = queue.filter((one) => one !== id);
      if (controller?.id !== id) return;
      const { sessionId } = controller;
      controller = undefined;
      // The same person is often here already: a reconnect arrives before the server sees the old connection die.
      const sameSession = [...viewers.values()].find((one) => one.mayControl && one.sessionId === sessionId);
      if (sameSession !== undefined) hand(sameSession);
      else reserved = { sessionId, until: now + CONTROL_GRACE_MS };
    },
    ask(now, id) {
      expire(now);
      const viewer = viewers.get(id);
      if (viewer === undefined || !viewer.mayControl || controller?.id === id) return;
      if (isFreeFor(viewer)) hand(viewer);
      else if (!queue.includes(id)) queue.push(id);
    },
    take(id) {
      const viewer = taker(id);
      if (viewer !== undefined) hand(viewer);
    },
    give(id) {
      if (controller?.id !== id) return;
      const next = firstAsking();
      if (next !== undefined) hand(next);
    },
    decline(id) {
      if (controller?.id !== id) return undefined;
      return queue.shift();
    },
    release(id) {
      if (controller?.id === id) hand(firstAsking());
    },
    allow(id, rights) {
      const viewer = viewers.get(id);
      if (viewer === undefined) return;
      const changed = { ...viewer, ...rights };
      viewers.set(id, changed);
      if (!changed.mayControl) queue = queue.filter((one) => one !== id);
      if (controller?.id === id) {
        if (changed.mayControl) controller = changed;
        else hand(firstAsking());
      }
    },
    expire,
    controller: () => controller,
    couldTake: (id) => (controller !== undefined || reserved !== undefined) && taker(id) !== undefined,
    reserved: () => reserved !== undefined,
    asking: firstAsking,
  };
}
