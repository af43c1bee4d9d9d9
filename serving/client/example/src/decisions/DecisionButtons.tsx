import type { Candidate } from "@delete/matching-client";
import type { MouseEvent } from "react";
import type { DecidedCard } from "../backend";
import { displayName } from "../Name";
import { useSession } from "../session";
import { useDecisions } from "./decisions";

interface Props {
  candidate: Candidate;
  /** The card that the decision is made on. */
  card: DecidedCard;
  /** Called at once, before the decision is saved. */
  onDecide?: () => void;
}

/** Like and pass; nothing where nothing writes. */
export function DecisionButtons({ candidate, card, onDecide }: Props) {
  const { backend } = useSession();
  const { decide } = useDecisions();
  if (backend === null) return null;

  function choose(kind: "like" | "pass", { currentTarget, detail }: MouseEvent<HTMLElement>) {
    const withKeyboard = detail === 0;
    decide({ kind, candidate, card, focusAfter: withKeyboard ? findNext(currentTarget) : null });
    onDecide?.();
  }

  const name = displayName(candidate);
  return (
    <div className="decide">
      <button type="button" className="pass" onClick={(event) => choose("pass", event)}>
        <span aria-hidden="true">✕</span> Pass<span className="visually-hidden"> on {name}</span>
      </button>
      <button type="button" className="like" onClick={(event) => choose("like", event)}>
        <span aria-hidden="true">♥</span> Like<span className="visually-hidden"> {name}</span>
      </button>
    </div>
  );
}

/** The link of the next card, or of the one before the last; the title where there is none. */
function findNext(button: HTMLElement): HTMLElement | null {
  const item = button.closest("li");
  const next = item?.nextElementSibling ?? item?.previousElementSibling;
  return next?.querySelector("a") ?? document.querySelector<HTMLElement>("main h1");
}
