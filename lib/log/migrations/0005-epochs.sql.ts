/**
 * How a database is known that was put in the place of another one. `log.origin` says where the log was written last: the cluster,
 * its timeline, the database and the table. A log that is found elsewhere was restored, or its standby was promoted: it may have
 * ended earlier. `log.lost_points` holds what projections have seen of a history that the log does not have: the process that
 * decides reads it, and begins a new epoch.
 */
export const createEpochs = `
create table log.origin (
  only_row boolean primary key default true check (only_row),
  place text not null
);

create table log.lost_points (
  epoch integer not null,
  position bigint not null,
  primary key (epoch, position)
);
`;
