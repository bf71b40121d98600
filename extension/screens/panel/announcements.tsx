/** What the operator of the server tells everybody, one calm line each, until it is closed here. */
import { useEffect, useState } from "react";
import type { AnnouncementView } from "../../../shared/announcements.ts";
import type { Api } from "../../api/client.ts";
import { IconButton } from "../../components/button.tsx";
import { closeAnnouncement, closedAnnouncements } from "../../state/closed-announcements.ts";
import { useRemote } from "./use-remote.ts";
import "./announcements.css";

const read = (api: Api): Promise<readonly AnnouncementView[]> => api.announcements.current.query();

const READ_EVERY_MS = 10 * 60_000;

export function Announcements() {
  const { value, reload } = useRemote(read);
  const [closed, setClosed] = useState<readonly string[]>();
  useEffect(() => {
    void closedAnnouncements().get().then(setClosed);
    return closedAnnouncements().watch(setClosed);
  }, []);
  // A panel stays open all day: what is new comes, and what is over goes.
  useEffect(() => {
    const timer = setInterval(reload, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const open = closed === undefined ? [] : (value ?? []).filter(({ id }) => !closed.includes(id));
  if (open.length === 0) return null;
  return (
    <aside className="announcements" aria-label="Announcements">
      {open.map(({ id, level, text }) => (
        <div key={id} className={`announcement announcement-${level}`}>
          <p>{text}</p>
          <IconButton icon="close" label="Close this announcement" onClick={() => void closeAnnouncement(id)} />
        </div>
      ))}
    </aside>
  );
}
