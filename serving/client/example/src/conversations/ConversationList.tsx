import { useEffect, useRef } from "react";
import { MATCHES } from "../route";
import { useSession } from "../session";
import { Trouble } from "../Trouble";
import { ConversationItem } from "./ConversationItem";
import { useConversations } from "./useConversations";

/** All my conversations, those first where something happened last. */
export function ConversationList() {
  const { api } = useSession();
  const { conversations, error, more, status } = useConversations(api);
  const heading = useRef<HTMLHeadingElement>(null);
  const mine = conversations.filter(({ turn }) => turn === "mine").length;

  useEffect(() => {
    document.title = "Your conversations, in Delete";
    window.scrollTo({ top: 0, behavior: "instant" });
    heading.current?.focus({ preventScroll: true });
  }, []);

  return (
    <div className="list conversations" aria-busy={status === "loading"}>
      <h1 ref={heading} tabIndex={-1}>
        Your conversations
      </h1>
      <p role="status" className={status === "loading" ? "quiet" : "visually-hidden"}>
        {status === "loading" ? "Looking for your conversations …" : told(conversations.length, mine)}
      </p>
      {conversations.length > 0 && (
        <ol className="talks" role="list">
          {conversations.map((conversation) => (
            <li key={conversation.id}>
              <ConversationItem conversation={conversation} />
            </li>
          ))}
        </ol>
      )}
      {error !== null && <Trouble error={error} onRetry={more} />}
      {status === "more" && (
        <button type="button" className="plain" onClick={more}>
          Show more conversations
        </button>
      )}
      {status === "end" && conversations.length === 0 && <Nobody />}
    </div>
  );
}

function told(count: number, mine: number): string {
  return `${count} ${count === 1 ? "conversation" : "conversations"} shown, and it is your turn in ${mine}.`;
}

function Nobody() {
  return (
    <div className="empty">
      <h2>Nobody to talk to yet</h2>
      <p>When you and somebody like each other, you find them here.</p>
      <a href={MATCHES} className="button">
        See your matches
      </a>
    </div>
  );
}
