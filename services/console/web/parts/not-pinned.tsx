/** Says so where a page cannot show what a pin asks for. */
import { countText } from '../numbers.js';
import { usePin } from '../state/reads.js';

export function NotPinned({ what }: { readonly what: string }) {
  const pin = usePin();
  if (pin === undefined) return null;
  return (
    <p className="error" role="note">
      This list shows {what}, and not what was so at {countText(pin)}. Open one to see that.
    </p>
  );
}
