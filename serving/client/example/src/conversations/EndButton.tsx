import type { Conversation } from "@delete/matching-client";
import { ConfirmButton } from "../ConfirmButton";
import { Called } from "../Name";
import { useSession } from "../session";

/** Ends a conversation once it is confirmed; nothing where it is over, or where nothing writes. */
export function EndButton({ conversation, onEnded }: { conversation: Conversation; onEnded: () => void }) {
  const { backend } = useSession();
  if (backend === null || conversation.closed) return null;

  async function end() {
    await backend?.close(conversation.id);
    onEnded();
  }

  const title = (
    <>
      End the conversation with <Called candidate={conversation.candidate} />?
    </>
  );
  return (
    <ConfirmButton label="End" title={title} onConfirm={end}>
      Nobody can write in it any more. Both of you can still read it.
    </ConfirmButton>
  );
}
