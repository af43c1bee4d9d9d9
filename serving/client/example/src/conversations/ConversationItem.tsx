import type { Conversation } from "@delete/matching-client";
import { Facts } from "../Facts";
import { Name } from "../Name";
import { Portrait } from "../Portrait";
import { conversationAddress } from "../route";
import { Openers } from "./Openers";
import { Turn } from "./Turn";

/** A conversation in the list; while nobody has written, with what to begin with. */
export function ConversationItem({ conversation }: { conversation: Conversation }) {
  const { candidate, openers } = conversation;
  return (
    <article className={conversation.closed ? "talk closed" : "talk"}>
      <Portrait person={candidate} />
      <div className="words">
        <h2>
          <a href={conversationAddress(conversation.id)}>
            <Name candidate={candidate} />
          </a>
        </h2>
        <Facts candidate={candidate} />
        <Turn conversation={conversation} />
      </div>
      {openers.length > 0 && <Openers conversation={conversation} />}
    </article>
  );
}
