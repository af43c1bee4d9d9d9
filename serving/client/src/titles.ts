import type { Titles } from "./schema.js";

/** What stands above the answer to a prompt: its title, or, where there is none, the prompt without underscores. */
export function promptTitle(prompt: string, titles: Titles | null): string {
  if (titles !== null && Object.hasOwn(titles.prompts, prompt)) return titles.prompts[prompt] ?? prompt;
  const words = prompt.replaceAll("_", " ").trim();
  return words === prompt ? prompt : words.charAt(0).toUpperCase() + words.slice(1);
}
