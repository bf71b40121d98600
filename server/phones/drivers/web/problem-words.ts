/** What went wrong with a page, in words, and what a person can do about it. */
import { hostOf } from "./documents.ts";
import type { Problem } from "./tab.ts";
import type { SystemView } from "./views.ts";

const CLOSE = { action: "close", label: "Close page" } as const;
const RELOAD = { action: "reload", label: "Try again" } as const;

/** Reasons of Chromium (net_error_list.h) worth telling apart. */
const ERROR_WORDS: Readonly<Record<string, string>> = {
  "net::ERR_TUNNEL_CONNECTION_FAILED": "The phone may not or cannot connect to it.",
  "net::ERR_PROXY_CONNECTION_FAILED": "The phone has no connection right now.",
  "net::ERR_INTERNET_DISCONNECTED": "The phone is in airplane mode.",
  "net::ERR_CONNECTION_REFUSED": "It refused the connection.",
  "net::ERR_EMPTY_RESPONSE": "It closed the connection without an answer.",
  "net::ERR_TIMED_OUT": "It took too long to answer.",
  "net::ERR_CONNECTION_TIMED_OUT": "It took too long to answer.",
  "net::ERR_TOO_MANY_REDIRECTS": "It keeps sending the phone in circles.",
  "net::ERR_CERT_DATE_INVALID": "Its certificate is out of date, so the connection is not safe.",
  "net::ERR_CERT_AUTHORITY_INVALID":
    "Its certificate comes from nobody the phone trusts, so the connection is not safe.",
  "net::ERR_CERT_COMMON_NAME_INVALID": "Its certificate belongs to another site, so the connection is not safe.",
  "net::ERR_UNSAFE_REDIRECT": "It sends the phone to an address a phone may not open.",
};

export function problemView(problem: Problem, url: string): Extract<SystemView, { screen: "problem" }> {
  switch (problem.kind) {
    case "unreachable": {
      const host = hostOf(problem.url) || "This page";
      const why = ERROR_WORDS[problem.error] ?? "Check the address, or try again in a moment.";
      return {
        screen: "problem",
        title: "This page cannot be reached",
        text: `${host}: ${why}`,
        actions: [RELOAD, CLOSE],
      };
    }
    case "refused":
      return {
        screen: "problem",
        title: "This address is not opened",
        text: "A phone opens pages whose address starts with https:// or http:// and nothing else.",
        actions: [CLOSE],
      };
    case "crashed":
      return {
        screen: "problem",
        title: "This page crashed",
        text: `${hostOf(url) || "The page"} used too much memory or broke the browser. Your other pages are fine.`,
        actions: [{ action: "reload", label: "Reload" }, CLOSE],
      };
    case "hung":
      return {
        screen: "problem",
        title: "This page does not respond",
        text: `${hostOf(url) || "The page"} is busy with something. You can wait for it or close it.`,
        actions: [{ action: "wait", label: "Wait" }, CLOSE],
      };
  }
}
