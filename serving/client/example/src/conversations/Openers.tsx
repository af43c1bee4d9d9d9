import type { Conversation } from "@delete/matching-client";
import { useId, useState } from "react";

/** Suggestions of what to begin with. A tap on one shows the answer that it is about; the words are the user's own. */
export function Openers({ conversation }: { conversation: Conversation }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const { candidate, openers } = conversation;
  const heading = useId();
  const opener = chosen === null ? undefined : openers[chosen];
  const answer = opener?.code === "ask_about" ? candidate.texts[opener.detail] : undefined;
  return (
    <section className="openers" aria-labelledby={heading}>
      <h3 id={heading}>To begin with</h3>
      <ul role="list">
        {openers.map(({ code, detail, sentence }, index) => (
          <li key={code + detail}>
            <button type="button" dir="auto" aria-pressed={index === chosen} onClick={() => setChosen(index === chosen ? null : index)}>
              {sentence}
            </button>
          </li>
        ))}
      </ul>
      <div aria-live="polite">
        {answer !== undefined && (
          <blockquote dir="auto">{answer}</blockquote>
        )}
      </div>
    </section>
  );
}
