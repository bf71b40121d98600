CREATE TABLE `nodes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`boot` text NOT NULL,
	`role` text NOT NULL,
	`address` text,
	`certificate` text,
	`region` text NOT NULL,
	`version` text NOT NULL,
	`capacity` integer NOT NULL,
	`draining` text,
	`started_at` integer NOT NULL,
	`heartbeat_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `nodes_name` ON `nodes` (`name`);--> statement-breakpoint
ALTER TABLE `phones` ADD `node_id` text;--> statement-breakpoint
CREATE INDEX `phones_node` ON `phones` (`node_id`,`state`);