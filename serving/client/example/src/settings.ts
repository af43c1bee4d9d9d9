/** Where the API is; empty for the origin that serves the page. */
export const API_URL: string = import.meta.env.VITE_MATCHING_API ?? "";

/** Whether there is a backend that writes; the example's is for development. Without it the app only shows. */
export const HAS_BACKEND: boolean = import.meta.env.DEV;

/** Lower chances, in percent, are not shown, as they would only discourage; 0 shows all. */
export const LEAST_PERCENT = Number(import.meta.env.VITE_LEAST_PERCENT ?? 20);
