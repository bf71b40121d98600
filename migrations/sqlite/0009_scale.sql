CREATE TABLE `phone_archives` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`archive` text NOT NULL,
	`archived_at` integer NOT NULL,
	FOREIGN KEY (`phone_id`) REFERENCES `phones`(`id`) ON UPDATE no action ON DELETE cascade
);
