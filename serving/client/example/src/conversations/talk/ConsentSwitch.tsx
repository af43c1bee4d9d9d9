import { useState } from "react";
import type { Thread } from "../../backend";

interface Props {
  thread: Thread;
  save: (agree: boolean) => Promise<unknown>;
  onSaved: () => Promise<void>;
}

/** My consent that words are counted. It is on for the conversation only while both agree. */
export function ConsentSwitch({ thread: { both_agree, i_agree }, save, onSaved }: Props) {
  const [status, setStatus] = useState<"open" | "saving" | "failed">("open");

  async function change() {
    if (status === "saving") return;
    setStatus("saving");
    try {
      await save(!i_agree);
      await onSaved();
      setStatus("open");
    } catch {
      setStatus("failed");
    }
  }

  return (
    <div className="consent">
      <label>
        <input type="checkbox" role="switch" checked={i_agree} onChange={change} aria-describedby="consent-text consent-state" />
        Let our words be counted
      </label>
      <p id="consent-text" className="quiet">
        If both of you agree, we count questions, plans to meet and exchanged contact details in what you write from then on. We keep
        the numbers for 180 days, and never the words.
      </p>
      <p id="consent-state" role="status">
        <strong>{tell(i_agree, both_agree)}</strong>
      </p>
      <p className="error" role="alert">
        {status === "failed" && "This was not saved: nothing has changed. Please try again."}
      </p>
    </div>
  );
}

function tell(mine: boolean, both: boolean): string {
  if (both) return "Both of you agree: it is on.";
  return mine ? "You agree. It is off until the other agrees, too." : "It is off.";
}
