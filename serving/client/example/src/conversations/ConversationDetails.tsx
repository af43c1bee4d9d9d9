import type { Conversation, Titles } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import { ContinueAs } from "../account/ContinueAs";
import { BlockButton } from "../decisions/BlockButton";
import { Facts } from "../Facts";
import { displayName, Name } from "../Name";
import { Portrait } from "../Portrait";
import { Profile } from "../Profile";
import { CONVERSATIONS, conversationAddress } from "../route";
import { EndButton } from "./EndButton";
import { Openers } from "./Openers";
import { Talk } from "./talk/Talk";
import { Turn } from "./Turn";

const LONG = 60; // characters of a name

interface Props {
  conversation: Conversation;
  titles: Titles | null;
  /** Called when something was written or ended, which changes what the API says. */
  onChange: () => void;
}

/** Who it is with, whose turn it is, what to begin with, the messages, and the profile. */
export function ConversationDetails({ conversation, titles, onChange }: Props) {
  const { candidate, openers } = conversation;
  const name = displayName(candidate);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${name}, in Delete`;
    heading.current?.focus();
  }, [name]);

  return (
    <article className="details">
      <Portrait person={candidate} />
      <div className="words">
        <div>
          <h1 ref={heading} tabIndex={-1} className={candidate.name.length > LONG ? "long" : undefined}>
            <Name candidate={candidate} />
          </h1>
          <Facts candidate={candidate} />
          <Turn conversation={conversation} />
        </div>
        {openers.length > 0 && <Openers conversation={conversation} heading="h2" />}
        <Talk conversation={conversation} onChange={onChange} />
        <Profile candidate={candidate} titles={titles} />
        <div className="choices">
          <EndButton conversation={conversation} onEnded={onChange} />
          <BlockButton candidate={candidate} onBlocked={goBack} />
          <ContinueAs candidate={candidate} address={conversationAddress(conversation.id)} />
        </div>
      </div>
    </article>
  );
}

function goBack() {
  location.hash = CONVERSATIONS;
}
