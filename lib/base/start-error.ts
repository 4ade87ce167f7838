/**
 * Something the operator can put right: the message is one line that says what is wrong and what to do about it.
 * Entry files print the line alone; any other error is ours and is printed with its stack.
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
