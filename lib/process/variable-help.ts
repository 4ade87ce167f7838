/** What each environment variable means, for `--help`. The types keep it complete. */
import type { DOOR_VARIABLES } from '../base/doors-config.js';
import type { SERVICE_VARIABLES } from './service-variables.js';

type DoorVariable = (typeof DOOR_VARIABLES)[number];
type ServiceVariable = (typeof SERVICE_VARIABLES)[number];

/** The variables of every server: its doors and its log. */
export const DOOR_VARIABLE_HELP: Readonly<Record<DoorVariable, string>> = {
  QUITTANCE_HOST: 'address to listen on (default 127.0.0.1)',
  QUITTANCE_GRPC_PORT: 'port of gRPC (default 50051; 0: any free port)',
  QUITTANCE_GRPC_TRANSPORT: 'what carries HTTP/2 below gRPC: own (default), or node for node:http2',
  QUITTANCE_CONNECT_PORT: 'port of Connect, health and metrics (default 8081; 0: any free port)',
  QUITTANCE_INSECURE_LISTEN: 'true: listen on other addresses than loopback, without authentication',
  QUITTANCE_CORS_ORIGINS: 'origins of browsers that may call, separated by commas',
  QUITTANCE_ALLOWED_HOSTS: 'further host names of the Connect door, separated by commas (*: any)',
  QUITTANCE_AUTH: 'on: callers prove who they are, by API keys or tokens (default off)',
  QUITTANCE_AUTH_ISSUER: 'claim iss of the tokens that are taken, besides API keys',
  QUITTANCE_AUTH_AUDIENCE: 'what the claim aud of a token must name',
  QUITTANCE_AUTH_JWKS: 'public keys of the issuer: a URL, or the path of a file',
  QUITTANCE_TLS_CERT_FILE: 'certificates of both doors, PEM; TLS is on where it is set',
  QUITTANCE_TLS_KEY_FILE: 'private key of the certificate, PEM',
  QUITTANCE_TLS_CLIENT_CA_FILE:
    'CAs of client certificates, PEM; callers without one are refused where it is set',
  QUITTANCE_TLS_CA_FILE: 'CAs of the other command processes, PEM (default: those that Node knows)',
  QUITTANCE_CONSOLE:
    'console at /console/ of the Connect port: on (default), read-only or off (npm start, query)',
  QUITTANCE_CONSOLE_CLIENT_ID:
    'client of the issuer by which the console logs in there (default: it asks for a token)',
  QUITTANCE_CONSOLE_SCOPE: 'scopes that it then asks for (default openid)',
  QUITTANCE_LIMIT_CALLER_COMMANDS:
    'commands per second of one caller (0: no limit; default 20000, or 0 without authentication)',
  QUITTANCE_LIMIT_LEDGER_COMMANDS: 'commands per second for one ledger (the same default)',
  QUITTANCE_LIMIT_CALLER_QUERIES: 'queries per second of one caller (the same default)',
  QUITTANCE_LOG_LEVEL: 'trace, debug, info (default), warn, error, fatal or silent',
};

/** The variables of the services that run as processes of their own. */
export const SERVICE_VARIABLE_HELP: Readonly<Record<ServiceVariable, string>> = {
  ...DOOR_VARIABLE_HELP,
  QUITTANCE_DATABASE_URL: 'PostgreSQL of the event log (required)',
  QUITTANCE_COMMAND_ADDRESS:
    'host:port at which command processes reach each other (default: host and port of gRPC; command)',
  QUITTANCE_KAFKA_BROKERS: 'host:port of the brokers, separated by commas (command, projector)',
  QUITTANCE_KAFKA_TLS: 'true: the brokers are reached over TLS (default false)',
  QUITTANCE_KAFKA_SASL: 'none (default), plain, scram-sha-256 or scram-sha-512',
  QUITTANCE_KAFKA_USERNAME: 'the name that the brokers ask for',
  QUITTANCE_KAFKA_PASSWORD: 'its password',
  QUITTANCE_KAFKA_TOPIC: 'topic of the events (default quittance.events.v1)',
  QUITTANCE_KAFKA_PARTITIONS: 'partitions of a new topic (default 12; create-topic)',
  QUITTANCE_KAFKA_REPLICATION: 'replicas of a new topic (default 1; create-topic)',
  QUITTANCE_REDIS_URL: 'Redis of the balances (projector, query)',
  QUITTANCE_HISTORY_STORE: 'mongodb (default) or postgres (projector, query)',
  QUITTANCE_MONGODB_URL: 'MongoDB of the history (projector, query)',
  QUITTANCE_CLICKHOUSE_URL: 'ClickHouse of the reports (projector, query)',
  QUITTANCE_DEAD_LETTERS_MAX:
    'how many events a partition of a view may park before its projection stops (default 1000; projector)',
  QUITTANCE_WEBHOOK_NETWORKS:
    'private networks that webhooks may reach, also by http, separated by commas (default: none; projector)',
  QUITTANCE_CONSOLE_COMMAND_URL:
    'origin of a command process, as browsers reach it; with the next one it turns the console on (query)',
  QUITTANCE_CONSOLE_PROJECTOR_URL: 'origin of the projector, as browsers reach it (query)',
};
