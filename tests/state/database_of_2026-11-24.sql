-- Written by the scripts as they were on 2026-11-24: a daily export, a run of the loop, an alert.
BEGIN TRANSACTION;
CREATE TABLE heavy_requests (
	id INTEGER NOT NULL, 
	account VARCHAR(16) NOT NULL, 
	reserved_at FLOAT NOT NULL, 
	starts_at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "heavy_requests" VALUES(1,'db6bcf6a2a36ee93',1.79572027770579218863e+09,1.79572027770579218863e+09);
INSERT INTO "heavy_requests" VALUES(2,'db6bcf6a2a36ee93',1.7957202788377137184e+09,1.7957202788377137184e+09);
INSERT INTO "heavy_requests" VALUES(3,'db6bcf6a2a36ee93',1.79572027884742856018e+09,1.79572027884742856018e+09);
CREATE TABLE remembered (
	account VARCHAR(16) NOT NULL, 
	job VARCHAR(100) NOT NULL, 
	name VARCHAR(300) NOT NULL, 
	value TEXT NOT NULL, 
	written_at FLOAT NOT NULL, 
	PRIMARY KEY (account, job, name)
);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','export_calls_per_day','caught up until','"2026-11-25"',1.79572027784552860256e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','export_calls_per_day','exported 2026-11-25','true',1.79572027784552860256e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','run_schedule','runs of export_calls_per_day','{"last": {"began": 1795720277.1461704, "ended": 1795720278.108002, "problem": ""}}',1.79572027811867976189e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','alert_lost_calls','callers who waited when yesterday ended','{"day": "2026-11-25", "entries": [{"companyID": "10881", "generalCallID": "73994500000", "callID": "73994500000", "startTime": "1795557600", "callType": "0", "internalNumber": "900", "internalAdditionalData": "", "externalNumber": "0662385605", "srcNumber": "0662385605", "customerData": {"id": "6614", "name": "\u0420\u0443\u0434\u0435\u043d\u043a\u043e \u041c\u0438\u0445\u0430\u0439\u043b\u043e"}, "employeeName": "", "employeeEmail": "", "waitsec": 28, "billsec": "0", "disposition": "NOANSWER", "isNewCall": "1", "did": "0443334001", "didNumber": "0443334001", "didName": "\u0413\u043e\u043b\u043e\u0432\u043d\u0430", "dstNumbers": [{"dstNumber": "904"}, {"dstNumber": "901"}]}, {"companyID": "10881", "generalCallID": "73994500004", "callID": "73994500004", "startTime": "1795643999", "callType": "0", "internalNumber": "900", "internalAdditionalData": "", "externalNumber": "0637681198", "srcNumber": "0637681198", "customerData": {"id": "6609", "name": "<b>\u0416\u0438\u0440\u043d\u0438\u0439</b> & \"\u043b\u0430\u043f\u043a\u0438\" / \u0441\u043a\u0456\u0441\u043d\u0430 \\"}, "employeeName": "", "employeeEmail": "", "waitsec": 5, "billsec": "0", "disposition": "CANCEL", "isNewCall": "0", "did": "0443334001", "didNumber": "0443334001", "didName": "\u0413\u043e\u043b\u043e\u0432\u043d\u0430", "dstNumbers": [{"dstNumber": "907"}, {"dstNumber": "903"}]}]}',1.79572027884479212757e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','alert_lost_calls','told JSON:207558557ceb6e5b of 662385605','1795557600.0',1.79572027886254453662e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','alert_lost_calls','told JSON:207558557ceb6e5b of 637681198','1795643999.0',1.79572027886254453662e+09);
INSERT INTO "remembered" VALUES('db6bcf6a2a36ee93','alert_lost_calls','told JSON:207558557ceb6e5b of 738052549','1795644000.0',1.79572027886254453662e+09);
CREATE TABLE schema_steps (
	part VARCHAR(100) NOT NULL, 
	steps INTEGER NOT NULL, 
	PRIMARY KEY (part)
);
INSERT INTO "schema_steps" VALUES('remembered',1);
INSERT INTO "schema_steps" VALUES('heavy requests',2);
CREATE INDEX heavy_requests_of_account ON heavy_requests (account, id);
COMMIT;
