/** What the step at the cursor means on the chosen phone, asked for behind the typing and again while the phone is used. */
import { useEffect, useMemo, useState } from "react";
import type { FlowMatches, ScreenWords } from "../../../shared/automation-model.ts";
import type { Phone } from "../../../shared/phone-model.ts";
import { usePage } from "../../state/app-context.tsx";
import { flowChecker } from "./model/flow-checker.ts";

/** How often a screen that may have changed is looked at again, in milliseconds. */
const AGAIN_MS = 2_500;

/** Undefined while no phone runs or nothing was answered yet. */
export function useMatches(phone: Phone | undefined, source: string, line: number): FlowMatches | undefined {
  const { phones } = usePage();
  const phoneId = phone?.state === "running" ? phone.id : undefined;
  const [answer, setAnswer] = useState<{ phoneId: string; matches: FlowMatches | undefined }>();
  const asker = useMemo(
    () =>
      flowChecker(async (question: string, signal) => {
        const input = JSON.parse(question) as { phoneId: Phone["id"]; source: string; line: number };
        const result = await phones.call((api) => api.flows.matches.query(input, { signal }));
        return { phoneId: input.phoneId, matches: result.ok ? result.value : undefined };
      }, setAnswer),
    [phones],
  );
  const question = phoneId && JSON.stringify({ phoneId, source, line });
  useEffect(() => {
    if (question === undefined) return;
    asker.check(question);
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") asker.check(question);
    }, AGAIN_MS);
    return () => {
      clearInterval(timer);
      asker.stop();
    };
  }, [asker, question]);
  return answer?.phoneId === phoneId ? answer?.matches : undefined;
}

const NO_WORDS: ScreenWords = { texts: [], ids: [] };

/** What the phone shows, for completion; read anew when the cursor comes to another line. */
export function useScreenWords(phone: Phone | undefined, line: number): ScreenWords {
  const { phones } = usePage();
  const phoneId = phone?.state === "running" ? phone.id : undefined;
  const [words, setWords] = useState(NO_WORDS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another line is the moment to look again
  useEffect(() => {
    if (phoneId === undefined) return setWords(NO_WORDS);
    let left = false;
    void phones
      .call((api) => api.flows.onScreen.query({ phoneId }))
      .then((result) => {
        if (!left && result.ok) setWords(result.value);
      });
    return () => {
      left = true;
    };
  }, [phones, phoneId, line]);
  return words;
}
