import { isUnreachable, ProblemError } from "@delete/matching-client";
import { useEffect } from "react";
import { REFUSED, useSession } from "./session";
import { useRetry } from "./useRetry";

interface Props {
  error: unknown;
  onRetry: () => void;
  /** Its title's: h1 where it stands in place of the whole view. */
  heading?: "h1" | "h2";
}

interface Words {
  title: string;
  text: string;
  action?: string;
}

/** What went wrong and what to do, in words of our own; tries again by itself where that may help. */
export function Trouble({ error, onRetry, heading: Heading = "h2" }: Props) {
  const { signOut } = useSession();
  const seconds = useRetry(error, onRetry);
  const refused = error instanceof ProblemError && error.status === 401 && !isUnreachable(error);

  useEffect(() => {
    if (refused) signOut(REFUSED);
  }, [refused, signOut]);

  const { title, text, action } = isUnreachable(error) ? unreachable() : words((error as ProblemError).type);
  return (
    <div className="trouble" role="alert">
      <Heading>{title}</Heading>
      <p>
        {text} {seconds !== null && waiting(seconds)}
      </p>
      {action && (
        <button type="button" onClick={onRetry}>
          {action}
        </button>
      )}
    </div>
  );
}

const AGAIN = "Try again now";

function unreachable(): Words {
  return navigator.onLine
    ? { title: "The service cannot be reached", text: "Your matches are safe.", action: AGAIN }
    : { title: "You are offline", text: "Your matches go on as soon as you are connected.", action: AGAIN };
}

function words(type: ProblemError["type"]): Words {
  switch (type) {
    case "urn:delete:problem:no-profile":
      return {
        title: "There is no profile of yours here",
        text: "If you have just joined, it is here in a moment. If you have deleted it, it is gone for good.",
        action: AGAIN,
      };
    case "urn:delete:problem:not-among-matches":
      return { title: "Not among your matches any more", text: "This person moved on, or something changed. Others wait." };
    case "urn:delete:problem:cursor-gone":
    case "urn:delete:problem:cursor-invalid":
      return { title: "There is a newer list", text: "It came while you were looking.", action: "Show the new list" };
    case "urn:delete:problem:too-many-requests":
    case "urn:delete:problem:unavailable":
      return { title: "One moment, please", text: "Much is going on.", action: AGAIN };
    default:
      return { title: "Something went wrong", text: "This is our fault, not yours.", action: AGAIN };
  }
}

function waiting(seconds: number): string {
  if (seconds <= 1) return "Trying again in a second.";
  return `Trying again in ${seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}.`;
}
