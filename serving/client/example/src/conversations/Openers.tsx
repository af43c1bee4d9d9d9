import type { Conversation } from "@delete/matching-client";
import { useId, useState } from "react";

interface Props {
  conversation: Conversation;
  heading?: "h2" | "h3";
}

/** Suggestions of what to begin with. A tap on one shows the answer that it is about; the words are the user's own. */
export function Openers({ conversation, heading: Heading = "h3" }: Props) {
  const [chosen, setChosen] = useState<number | null>(null);
  const { candidate, openers } = conversation;
  const name = useId();
  const opener = chosen === null ? undefined : openers[chosen];
  const answer = opener?.code === "ask_about" ? candidate.texts[opener.detail] : undefined;
  return (
    <section className="openers" aria-labelledby={name}>
      <Heading id={name}>To begin with</Heading>
      <ul role="list">
        {openers.map(({ code, detail, sentence }, index) => (
          <li key={code + detail}>
            <button
              type="button"
              dir="auto"
              aria-pressed={index === chosen}
              onClick={() => setChosen(index === chosen ? null : index)}
            >
              {sentence}
            </button>
          </li>
        ))}
      </ul>
      <div aria-live="polite">
        {answer !== undefined && <blockquote dir="auto">{answer}</blockquote>}
      </div>
    </section>
  );
}
