/** What the portal said when it showed the page. */
export const settings = {
  /** Whether a number key answers and submits in one go. */
  advance: false,
};
