/** The fields of a form, each by its kind, with what is wrong beside it. */
import type { ActionField } from './catalogue.js';
import { type FormValues, isReplaced } from './form-values.js';

interface FieldsProps {
  readonly fields: readonly ActionField[];
  readonly values: FormValues;
  readonly problems: Readonly<Record<string, string>>;
  readonly onChange: (name: string, value: string) => void;
}

export function Fields({ fields, values, problems, onChange }: FieldsProps) {
  return fields.map((field) => (
    <Field
      key={field.name}
      field={field}
      values={values}
      problem={problems[field.name]}
      onChange={onChange}
    />
  ));
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
