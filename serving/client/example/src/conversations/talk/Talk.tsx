import type { Conversation } from "@delete/matching-client";
import { useSession } from "../../session";
import { Composer } from "./Composer";
import { ConsentSwitch } from "./ConsentSwitch";
import { Messages } from "./Messages";
import { useThread } from "./useThread";

interface Props {
  conversation: Conversation;
  /** Called when somebody has written. */
  onChange: () => void;
}

/** The messages of a conversation, what I write, and the consent; nothing where nothing writes. */
export function Talk({ conversation, onChange }: Props) {
  const { backend } = useSession();
  const { thread, failed, read } = useThread(backend, conversation.id, onChange);
  if (backend === null) return null;
  return (
    <section className="thread" aria-labelledby="thread">
      <h2 id="thread">Messages</h2>
      {thread && <Messages messages={thread.messages} candidate={conversation.candidate} />}
      <p className="quiet" role="status">
        {failed && "Messages cannot be read just now. Trying again."}
      </p>
      {conversation.closed ? (
        <p className="quiet">This conversation is over.</p>
      ) : (
        <>
          <Composer candidate={conversation.candidate} send={(id, body) => backend.send(conversation.id, id, body)} onSent={read} />
          {thread && <ConsentSwitch thread={thread} save={(agree) => backend.setConsent(conversation.id, agree)} onSaved={read} />}
        </>
      )}
    </section>
  );
}
