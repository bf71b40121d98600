/**
 * Sends a form to a hidden frame, so that the browser saves what comes back as it saves any download: from the first
 * byte, at any size, without it ever being in this page's memory.
 */

/** Long enough for the answer to begin; the download goes on without the frame. */
const FRAME_MS = 120_000;

/** `onPage`: what came back was a page and no file. */
export function saveAnswerOf(url: string, fields: Readonly<Record<string, string>>, onPage: () => void): void {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "Download";
  frame.name = `download-${crypto.randomUUID()}`;
  const form = document.createElement("form");
  form.hidden = true;
  form.method = "post";
  form.action = url;
  form.target = frame.name;
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  // The empty frame loads first; only what loads after that answers the form.
  const begin = () => {
    frame.addEventListener("load", onPage, { once: true });
    form.submit();
    form.remove();
  };
  frame.addEventListener("load", begin, { once: true });
  document.body.append(form, frame);
  setTimeout(() => frame.remove(), FRAME_MS);
}
