/** Where a watch of events starts. */

/** After the token, else at the position, else from now on. */
export function startOf(resumeToken: string, at: bigint | undefined) {
  if (resumeToken !== '') return { case: 'resumeToken', value: resumeToken } as const;
  if (at !== undefined) return { case: 'startPosition', value: at } as const;
  return { case: undefined } as const;
}
