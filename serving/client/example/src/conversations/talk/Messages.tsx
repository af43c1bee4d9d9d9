import type { Candidate } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import type { Message } from "../../backend";
import { displayName } from "../../Name";
import { timeAgo } from "../timeAgo";

/** What both wrote, the newest at the bottom and in sight. */
export function Messages({ messages, candidate }: { messages: Message[]; candidate: Candidate }) {
  const log = useRef<HTMLDivElement>(null);
  const newest = messages.at(-1)?.id;

  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [newest]);

  if (messages.length === 0) return <p className="quiet">Nobody has written yet.</p>;
  return (
    <div ref={log} className="messages" role="log" aria-relevant="additions" aria-labelledby="thread" tabIndex={0}>
      {messages.map(({ id, mine, body, sent_at }) => (
        <div key={id} className={mine ? "message mine" : "message"}>
          <span className="visually-hidden">{mine ? "You" : displayName(candidate)}:</span>
          {body === null ? <p className="quiet">A simulated message, without words</p> : <p dir="auto">{body}</p>}
          <time dateTime={sent_at}>{timeAgo(sent_at)}</time>
        </div>
      ))}
    </div>
  );
}
