/** Files on their way to phones, for as long as the panel is open. What sends them is loaded with the first. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Phone } from "../../../../shared/phones.ts";
import type { Upload, UploadPurpose } from "../../../../shared/uploads.ts";
import { useToast } from "../../../components/toast.tsx";
import { usePage, usePhones } from "../../../state/app-context.tsx";
import type { Uploader, UploadItem } from "./uploader.ts";

export interface Uploads {
  readonly items: readonly UploadItem[];
  /** Sends them, or asks first what an APK is meant as. */
  add(phone: Phone, files: readonly File[]): void;
  /** Sends them as what they are said to be. */
  send(phone: Phone, files: readonly File[], purpose: UploadPurpose): void;
  resume(phone: Phone, upload: Upload, file: File): void;
  pause(key: number): void;
  goOn(key: number): void;
  cancel(key: number): void;
  /** APKs somebody has to say more about. */
  readonly asking: { readonly phone: Phone; readonly files: readonly File[] } | undefined;
  answer(purpose: UploadPurpose | undefined): void;
}

/** `shown`: the list is looked at, so nothing has to be said beside it. */
export function useUploads(shown: boolean): Uploads {
  const page = usePage();
  const { server } = usePhones();
  const toast = useToast();
  const [items, setItems] = useState<readonly UploadItem[]>([]);
  const [asking, setAsking] = useState<Uploads["asking"]>();
  const uploader = useRef<Promise<Uploader>>(undefined);
  const looked = useRef(shown);
  looked.current = shown;
  const before = useRef(new Map<number, UploadItem["stage"]>());

  const change = useCallback(
    (next: readonly UploadItem[]) => {
      setItems(next);
      for (const { key, name, purpose, stage, message = "" } of next) {
        const was = before.current.get(key);
        before.current.set(key, stage);
        if (was === stage || looked.current) continue;
        if (stage === "done") toast({ text: purpose === "app" ? `${name} is installed.` : `${name} is on the phone.` });
        if (stage === "failed") toast({ text: `${name}: ${message}`, tone: "error" });
      }
    },
    [toast],
  );
  // Another server has other phones; and nobody sends on who has left.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `server` is the one that files go to
  useEffect(() => {
    const mine = uploader;
    return () => {
      void mine.current?.then((made) => made.close());
      mine.current = undefined;
      before.current.clear();
      setItems([]);
    };
  }, [server]);

  return useMemo(() => {
    const engine = async () => {
      const { createPageUploader, fileProblem } = await import("./engine.ts");
      uploader.current ??= Promise.resolve(createPageUploader(page, server ?? "", change));
      return { made: await uploader.current, fileProblem };
    };
    const told = (work: Promise<unknown>) =>
      void work.catch(() =>
        toast({ text: "Sending files could not be loaded. Close the panel and open it again.", tone: "error" }),
      );
    const now = (work: (made: Uploader) => void) => void uploader.current?.then(work);
    const send: Uploads["send"] = (phone, files, purpose) =>
      told(
        engine().then(async ({ made, fileProblem }) => {
          for (const file of files) {
            const problem = await fileProblem(file, purpose);
            if (problem === undefined) made.add(phone.id, file, purpose);
            else made.refuse(phone.id, file, purpose, problem);
          }
        }),
      );
    return {
      items,
      asking,
      send,
      add(phone, files) {
        const apks = phone.capabilities.apps ? files.filter(({ name }) => /\.apk$/i.test(name)) : [];
        const others = files.filter((file) => !apks.includes(file));
        if (apks.length > 0) setAsking({ phone, files: apks });
        if (others.length > 0) send(phone, others, "file");
      },
      resume: (phone, upload, file) => told(engine().then(({ made }) => made.resume(phone.id, upload, file))),
      pause: (key) => now((made) => made.pause(key)),
      goOn: (key) => now((made) => made.goOn(key)),
      cancel: (key) => now((made) => made.cancel(key)),
      answer(purpose) {
        if (asking !== undefined && purpose !== undefined) send(asking.phone, asking.files, purpose);
        setAsking(undefined);
      },
    };
  }, [items, asking, page, server, change, toast]);
}
