import type { Conversation, Titles } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import { Facts } from "../Facts";
import { displayName, Name } from "../Name";
import { Portrait } from "../Portrait";
import { Profile } from "../Profile";
import { Openers } from "./Openers";
import { Turn } from "./Turn";

const LONG = 60; // characters of a name

/** Who it is with, whose turn it is, what to begin with, and the profile. */
export function ConversationDetails({ conversation, titles }: { conversation: Conversation; titles: Titles | null }) {
  const { candidate, openers } = conversation;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${displayName(candidate)}, in Delete`;
    heading.current?.focus();
  }, [candidate]);

  return (
    <article className="details">
      <Portrait candidate={candidate} />
      <div className="words">
        <div>
          <h1 ref={heading} tabIndex={-1} className={candidate.name.length > LONG ? "long" : undefined}>
            <Name candidate={candidate} />
          </h1>
          <Facts candidate={candidate} />
          <Turn conversation={conversation} />
        </div>
        {openers.length > 0 && <Openers conversation={conversation} heading="h2" />}
        <Profile candidate={candidate} titles={titles} />
      </div>
    </article>
  );
}
