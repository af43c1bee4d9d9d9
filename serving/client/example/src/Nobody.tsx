import type { EmptyReason } from "./useMatches";

/** Why there is nobody, as far as the API says, and what to do about it. */
const WORDS: Record<EmptyReason, { title: string; text: string }> = {
  paused: {
    title: "Your profile is paused",
    text: "You see nobody, and nobody sees you. End the pause, and your list is back at once.",
  },
  profile_invalid: {
    title: "Your profile needs a correction",
    text: "Something in it cannot be used, so there is nobody to show. Check your age range, your place and your answers.",
  },
  no_publication: {
    title: "The first lists are being made",
    text: "Come back in a while.",
  },
  no_list_yet: {
    title: "Your first list is being made",
    text: "You joined after the last lists were made. You are part of the next ones.",
  },
  no_candidates: {
    title: "Nobody fits just now",
    text: "A wider age range or a longer distance may bring somebody, with your next list.",
  },
  list_used_up: {
    title: "You have been through your whole list",
    text: "Nobody on it is left to show. Your next list brings others.",
  },
};
const UNKNOWN = { title: "Nobody to show just now", text: "Your next list may bring somebody." };

export function Nobody({ because, onRestart }: { because: EmptyReason | null; onRestart: () => void }) {
  const { title, text } = (because && WORDS[because]) ?? UNKNOWN;
  return (
    <div className="empty">
      <h2>{title}</h2>
      <p>{text}</p>
      <button type="button" onClick={onRestart}>
        Look again
      </button>
    </div>
  );
}
