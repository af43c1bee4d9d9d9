import type { Candidate } from "@delete/matching-client";
import { ConfirmButton } from "../ConfirmButton";
import { Called } from "../Name";
import { useNotices } from "../notices/notices";
import { useSession } from "../session";
import { useDecisions } from "./decisions";

/** Blocks somebody once it is confirmed; nothing where nothing writes. */
export function BlockButton({ candidate, onBlocked }: { candidate: Candidate; onBlocked: () => void }) {
  const { backend } = useSession();
  const { setGone } = useDecisions();
  const { tell } = useNotices();
  if (backend === null) return null;
  const name = <Called candidate={candidate} />;

  async function block() {
    await backend?.block(candidate.id);
    setGone(candidate.id, true);
    tell({ id: candidate.id, text: <>You blocked {name}. Neither of you sees the other any more.</> });
    onBlocked();
  }

  return (
    <ConfirmButton label="Block" title={<>Block {name}?</>} onConfirm={block}>
      Neither of you will see the other, and a conversation between you ends. They are not told.
    </ConfirmButton>
  );
}
