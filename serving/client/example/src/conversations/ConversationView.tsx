import { type Conversation, conversationPages, type MatchingClient, type Titles } from "@delete/matching-client";
import { useCallback, useEffect, useRef, useState } from "react";
import { CONVERSATIONS } from "../route";
import { useSession } from "../session";
import { Trouble } from "../Trouble";
import { ConversationDetails } from "./ConversationDetails";

type Found = { conversation: Conversation | null; titles: Titles | null };

/** One conversation, as it is now. The API says whose turn it is; the messages are the app's own. */
export function ConversationView({ conversationId }: { conversationId: string }) {
  const { api, readTitles } = useSession();
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState<unknown>();
  const back = useRef<HTMLAnchorElement>(null);

  const ask = useCallback(async () => {
    try {
      const [conversation, titles] = await Promise.all([findConversation(api, conversationId), readTitles()]);
      setFound({ conversation, titles });
      setError(undefined);
    } catch (error) {
      setError(error);
    }
  }, [api, conversationId, readTitles]);

  useEffect(() => {
    window.scrollTo({ top: 0, behavior: "instant" });
    document.title = "A conversation, in Delete";
    back.current?.focus();
    void ask();
  }, [ask]);

  return (
    <div className="view">
      <a ref={back} href={CONVERSATIONS} className="back">
        <span aria-hidden="true">←</span> Back to your conversations
      </a>
      {found?.conversation && <ConversationDetails conversation={found.conversation} titles={found.titles} onChange={ask} />}
      {found?.conversation === null && <Gone />}
      {error !== undefined && <Trouble error={error} onRetry={ask} heading="h1" />}
      <p role="status" className="quiet">
        {found || error !== undefined ? "" : "Opening …"}
      </p>
    </div>
  );
}

/** There is no address of one conversation: it is on one of the pages, or may not be shown any more. */
async function findConversation(api: MatchingClient, id: string): Promise<Conversation | null> {
  for await (const { conversations } of conversationPages(api, { limit: 50 })) {
    const found = conversations.find((conversation) => conversation.id === id);
    if (found) return found;
  }
  return null;
}

function Gone() {
  return (
    <div className="trouble" role="alert">
      <h1>This conversation is not here any more</h1>
      <p>Somebody left, or something changed.</p>
    </div>
  );
}
