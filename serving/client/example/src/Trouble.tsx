import { ProblemError } from "@delete/matching-client";
import { useEffect } from "react";
import { useSession } from "./session";

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

/** What went wrong and what to do. Tries again by itself when the API said when, and when the network is back. */
export function Trouble({ error, onRetry, heading: Heading = "h2" }: Props) {
  const { signOut } = useSession();
  const refused = error instanceof ProblemError && error.status === 401;
  const retryAfter = error instanceof ProblemError ? error.retryAfter : null;

  useEffect(() => {
    if (refused) signOut("Your token is not valid, or no longer. Please sign in again.");
  }, [refused, signOut]);

  useEffect(() => {
    if (retryAfter === null) return;
    const waiting = setTimeout(onRetry, retryAfter * 1000);
    return () => clearTimeout(waiting);
  }, [error, retryAfter, onRetry]);

  useEffect(() => {
    addEventListener("online", onRetry);
    return () => removeEventListener("online", onRetry);
  }, [onRetry]);

  const { title, text, action } = words(error);
  return (
    <div className="trouble" role="alert">
      <Heading>{title}</Heading>
      <p>{text}</p>
      {action && (
        <button type="button" onClick={onRetry}>
          {action}
        </button>
      )}
    </div>
  );
}

function words(error: unknown): Words {
  const again = "Try again now";
  if (!(error instanceof ProblemError)) {
    return navigator.onLine
      ? { title: "The matches cannot be reached", text: "The service does not answer. Your list is safe.", action: again }
      : { title: "You are offline", text: "Your matches go on as soon as you are connected.", action: again };
  }
  switch (error.type) {
    case "urn:delete:problem:no-profile":
      return {
        title: "There is no profile of yours here",
        text: "If you have just joined, it is here in a moment. If you have deleted it, it is gone for good.",
        action: again,
      };
    case "urn:delete:problem:not-among-matches":
      return { title: "Not among your matches any more", text: "This person moved on, or something changed. Others wait." };
    case "urn:delete:problem:cursor-gone":
      return { title: "There is a newer list", text: "Yours was made anew while you were looking.", action: "Show the new list" };
    case "urn:delete:problem:too-many-requests":
    case "urn:delete:problem:unavailable":
      return { title: "One moment, please", text: `Much is going on. ${waiting(error.retryAfter)}`, action: again };
    default:
      return { title: "Something went wrong", text: error.message, action: again };
  }
}

function waiting(seconds: number | null): string {
  if (seconds === null) return "Please try again soon.";
  return `Trying again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`;
}
