/** The fields of a form, each by its kind, with what is wrong beside it. */
import { skipToken } from '@connectrpc/connect-query';
import { type ReactNode, useState } from 'react';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { useRead } from '../state/reads.js';
import { useRoute } from '../state/route.js';
import type { ActionField } from './catalogue.js';
import { type FormValues, isReplaced } from './form-values.js';

const OFFERED_MOST = 8;

interface FieldsProps {
  readonly fields: readonly ActionField[];
  readonly values: FormValues;
  readonly problems: Readonly<Record<string, string>>;
  readonly onChange: (name: string, value: string) => void;
}

export function Fields({ fields, values, problems, onChange }: FieldsProps) {
  const shown = (field: ActionField) => (
    <Field
      key={field.name}
      field={field}
      values={values}
      problem={problems[field.name]}
      onChange={onChange}
    />
  );
  const groups = [...new Set(fields.flatMap(({ group }) => (group === undefined ? [] : [group])))];
  return (
    <>
      {fields.filter(({ group }) => group === undefined).map(shown)}
      {groups.map((group) => {
        const own = fields.filter((field) => field.group === group);
        return (
          <Group key={group} name={group} isUsed={own.some(({ name }) => (values[name] ?? '') !== '')}>
            {own.map(shown)}
          </Group>
        );
      })}
    </>
  );
}

interface GroupProps {
  readonly name: string;
  readonly isUsed: boolean;
  readonly children: ReactNode;
}

/** Open from the start where something is typed. */
function Group({ name, isUsed, children }: GroupProps) {
  const [isOpen, setOpen] = useState(isUsed);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{name}</summary>
      <div className="form">{children}</div>
    </details>
  );
}

interface FieldProps {
  readonly field: ActionField;
  readonly values: FormValues;
  readonly problem: string | undefined;
  readonly onChange: FieldsProps['onChange'];
}

function Field({ field, values, problem, onChange }: FieldProps) {
  const { name, label, kind, hint, choices = [] } = field;
  const value = values[name] ?? '';
  if (kind === 'check') return <Check field={field} value={value} onChange={onChange} />;
  if (kind === 'choice') {
    return (
      <label className="field">
        {label}
        <select
          value={value === '' ? choices[0]?.[0] : value}
          onChange={({ target }) => onChange(name, target.value)}
        >
          {choices.map(([choice, words]) => (
            <option key={choice} value={choice}>
              {words}
            </option>
          ))}
        </select>
      </label>
    );
  }
  const input = (key: string, size?: number) => (
    <input
      name={key}
      list={kind === 'account' ? `accounts-${name}` : undefined}
      size={size}
      autoComplete="off"
      disabled={isReplaced(field, values)}
      inputMode={kind === 'money' && key === name ? 'decimal' : undefined}
      aria-invalid={problem !== undefined}
      aria-label={key === name ? undefined : 'Currency'}
      value={values[key] ?? ''}
      onChange={({ target }) => onChange(key, target.value)}
    />
  );
  return (
    <div className="field">
      <label className="field">
        {label}
        {input(name)}
      </label>
      {kind === 'account' ? <AccountsBegunSo id={`accounts-${name}`} begun={value} /> : null}
      {kind === 'money' ? <span>{input(`${name}.currency`, 5)}</span> : null}
      {hint === undefined ? null : <span className="hint">{hint}</span>}
      {problem === undefined ? null : (
        <span className="wrong" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

/** Accounts that begin with what is typed: the browser offers them below the field. */
function AccountsBegunSo({ id, begun }: { readonly id: string; readonly begun: string }) {
  const { ledger } = useRoute();
  const { data } = useRead(
    AccountQueryService.method.listAccounts,
    ledger === '' ? skipToken : accountsBegunSo(ledger, begun),
    false,
  );
  return (
    <datalist id={id}>
      {data?.accounts.map(({ accountId, name, currency }) => (
        <option key={accountId} value={accountId}>
          {name === '' ? currency : `${name}, ${currency}`}
        </option>
      ))}
    </datalist>
  );
}

/** The question by which both the field and the form look for an account. */
export function accountsBegunSo(ledgerId: string, begun: string) {
  return { ledgerId, accountIdPrefix: begun.trim(), pageSize: OFFERED_MOST };
}

interface CheckProps {
  readonly field: ActionField;
  readonly value: string;
  readonly onChange: FieldsProps['onChange'];
}

function Check({ field: { name, label, hint }, value, onChange }: CheckProps) {
  return (
    <label className="field check">
      <input
        type="checkbox"
        checked={value === 'true'}
        onChange={({ target }) => onChange(name, target.checked ? 'true' : '')}
      />
      {label} <span className="hint">{hint}</span>
    </label>
  );
}
