import type { Candidate } from "@delete/matching-client";
import { createContext, type ReactNode, use, useCallback, useState } from "react";
import type { DecidedCard } from "../backend";
import { Called } from "../Name";
import { useNotices } from "../notices/notices";
import { conversationAddress } from "../route";
import { useSession } from "../session";

export interface Decision {
  kind: "like" | "pass";
  candidate: Candidate;
  /** The card that it is made on. */
  card: DecidedCard;
  /** What has the focus next, where the keyboard is used. */
  focusAfter: HTMLElement | null;
}

type Made = { conversation_id: string | null };

interface Decisions {
  /** Whom I decided on or blocked since the page was opened. They leave the page at once. */
  gone: ReadonlySet<string>;
  decide: (decision: Decision) => void;
  setGone: (candidateId: string, isGone: boolean) => void;
}

const DecisionsContext = createContext<Decisions | null>(null);

export function useDecisions(): Decisions {
  const decisions = use(DecisionsContext);
  if (decisions === null) throw new Error("useDecisions is for what is inside DecisionsProvider");
  return decisions;
}

/** Shows a decision before it is saved. If it cannot be saved, the candidate is back, and a notice says so. */
export function DecisionsProvider({ children }: { children: ReactNode }) {
  const { backend } = useSession();
  const { tell } = useNotices();
  const [gone, setAllGone] = useState<ReadonlySet<string>>(new Set());

  const setGone = useCallback((candidateId: string, isGone: boolean) => {
    setAllGone((before) => new Set(isGone ? [...before, candidateId] : [...before].filter((id) => id !== candidateId)));
  }, []);

  async function decide(decision: Decision, id = crypto.randomUUID()) {
    if (backend === null) return;
    const { candidate, card, focusAfter, kind } = decision;
    const name = <Called candidate={candidate} />;
    const saved = backend.decide(id, kind, card);
    setGone(candidate.id, true);
    tell({
      id,
      text: kind === "like" ? <>You liked {name}.</> : <>You passed on {name}.</>,
      action: { label: "Undo", run: () => undo(decision, id, saved) },
      focusAfter,
    });
    try {
      const { conversation_id: conversation } = await saved;
      if (conversation === null) return;
      const address = conversationAddress(conversation);
      tell({ id, text: <>You and {name} like each other!</>, action: { label: "Write", address }, focusAfter });
    } catch {
      setGone(candidate.id, false);
      const what = kind === "like" ? <>Your like of {name}</> : <>Your pass on {name}</>;
      tell({ id, text: <>{what} was not saved.</>, action: { label: "Try again", run: () => decide(decision, id) }, failed: true });
    }
  }

  async function undo(decision: Decision, id: string, saved: Promise<Made>) {
    const { candidate } = decision;
    setGone(candidate.id, false);
    try {
      const made = await saved.catch(() => null); // otherwise the undo might come first
      if (made?.conversation_id) return setGone(candidate.id, true); // a match meanwhile, as its notice says
      await backend?.undo(id);
    } catch {
      setGone(candidate.id, true);
      const text = <>This could not be undone: your decision about <Called candidate={candidate} /> stands.</>;
      tell({ id, text, action: { label: "Try again", run: () => undo(decision, id, saved) }, failed: true });
    }
  }

  return <DecisionsContext value={{ gone, decide, setGone }}>{children}</DecisionsContext>;
}
