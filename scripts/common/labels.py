"""The words people see in reports and mails, in Ukrainian, English and Russian."""

from datetime import date, datetime

LANGUAGES = ("uk", "en", "ru")

# Every word once, in the order of LANGUAGES.
_WORDS: dict[str, tuple[str, str, str]] = {
    # The report as a whole
    "subject": (
        "Дзвінки {period}: вхідних {incoming}, втрачених {lost}, не передзвонили {waiting}",
        "Calls {period}: {incoming} incoming, {lost} lost, {waiting} not called back",
        "Звонки {period}: входящих {incoming}, потерянных {lost}, не перезвонили {waiting}",
    ),
    "subject without callbacks": (
        "Дзвінки {period}: вхідних {incoming}, втрачених {lost}",
        "Calls {period}: {incoming} incoming, {lost} lost",
        "Звонки {period}: входящих {incoming}, потерянных {lost}",
    ),
    "title": ("Дзвінки за {day}", "Calls on {day}", "Звонки за {day}"),
    "title of a period": (
        "Дзвінки за {start} – {stop}",
        "Calls from {start} to {stop}",
        "Звонки за {start} – {stop}",
    ),
    "partial": (
        "День ще триває: станом на {time}",
        "The day is not over: as of {time}",
        "День ещё не закончился: по состоянию на {time}",
    ),
    "partial period": (
        "Останній день ще триває: станом на {time}",
        "The last day is not over: as of {time}",
        "Последний день ещё не закончился: по состоянию на {time}",
    ),
    "partial subject": (" (станом на {time})", " (as of {time})", " (на {time})"),
    "no calls": ("Дзвінків не було", "There were no calls", "Звонков не было"),
    "callbacks unknown": (
        "Кому передзвонили, невідомо: дзвінків інших ліній або напрямків тут немає",
        "Who was called back is unknown: calls of other lines or directions are not here",
        "Кому перезвонили, неизвестно: звонков других линий или направлений здесь нет",
    ),
    "unreadable calls": (
        "Не вдалося прочитати записів: {count}. Цих дзвінків тут немає",
        "Entries that could not be read: {count}. These calls are not here",
        "Не удалось прочитать записей: {count}. Этих звонков здесь нет",
    ),
    "attached": ("Повний список — у вкладенні.", "The full list is attached.", "Полный список — во вложении."),
    "too large": (
        "Повний список завеликий для листа. Він тут: {paths}",
        "The full list is too large for a mail. It is here: {paths}",
        "Полный список слишком велик для письма. Он здесь: {paths}",
    ),
    # Sheets
    "sheet summary": ("Підсумок", "Summary", "Итоги"),
    "sheet calls": ("Дзвінки", "Calls", "Звонки"),
    "sheet lost": ("Втрачені", "Lost", "Потерянные"),
    "sheet employees": ("Працівники", "Employees", "Сотрудники"),
    "sheet days": ("За днями", "By day", "По дням"),
    "sheet week": ("За годинами тижня", "By hour of the week", "По часам недели"),
    # Totals
    "incoming calls": ("Вхідні", "Incoming", "Входящие"),
    "answered calls": ("Відповіли", "Answered", "Отвечено"),
    "lost calls": ("Втрачені", "Lost", "Потерянные"),
    "other calls": ("Інші (тривають, невідомі)", "Other (going on, unknown)", "Другие (идут, неизвестные)"),
    "called back": ("Втрачені, передзвонили", "Lost and called back", "Потерянные, перезвонили"),
    "not called back": ("Втрачені, не передзвонили", "Lost, not called back", "Потерянные, не перезвонили"),
    "median callback": (
        "Час до передзвону (медіана)",
        "Time to call back (median)",
        "Время до перезвона (медиана)",
    ),
    "outgoing calls": ("Вихідні", "Outgoing", "Исходящие"),
    "outgoing answered": ("Додзвонилися", "Outgoing, reached", "Дозвонились"),
    "talk time": ("Час розмов", "Talk time", "Время разговоров"),
    "average wait": ("Очікування відповіді (середнє)", "Wait for an answer (average)", "Ожидание ответа (среднее)"),
    # Headings
    "by hour": ("За годинами", "By hour", "По часам"),
    "by employee": ("За працівниками", "By employee", "По сотрудникам"),
    "still waiting": ("Чекають на дзвінок", "Waiting for a call", "Ждут звонка"),
    "and more": (
        "та ще {count} — у повному списку",
        "and {count} more in the full list",
        "и ещё {count} — в полном списке",
    ),
    "average week": (
        "Середній тиждень: дзвінків за годину",
        "An average week: calls an hour",
        "Средняя неделя: звонков в час",
    ),
    # The alert
    "waiting callers": ("Чекають на дзвінок: {count}", "Waiting for a call: {count}", "Ждут звонка: {count}"),
    "yesterday": ("вчора {time}", "yesterday {time}", "вчера {time}"),
    "waited": ("очікування {time}", "waited {time}", "ожидание {time}"),
    "called line": ("на {line}", "to {line}", "на {line}"),
    "left a message": (
        "є голосове повідомлення",
        "left a voice message",
        "есть голосовое сообщение",
    ),
    "spoke with": ("остання розмова: {employee}", "last spoke with {employee}", "последний разговор: {employee}"),
    "and so many later": (
        "та ще {count} — у наступному повідомленні",
        "and {count} more in the next message",
        "и ещё {count} — в следующем сообщении",
    ),
    "and so many more": ("та ще {count}", "and {count} more", "и ещё {count}"),
    "alert test": (
        "Перевірка: сповіщення про втрачені дзвінки надходитимуть сюди",
        "A test: alerts of lost calls will come here",
        "Проверка: оповещения о потерянных звонках будут приходить сюда",
    ),
    # The customers
    "customers on": ("Клієнти: {time}", "Customers: {time}", "Клиенты: {time}"),
    "sheet customers": ("Клієнти", "Customers", "Клиенты"),
    "customers deleted": ("Видалено клієнтів: {count}", "Customers deleted: {count}", "Удалено клиентов: {count}"),
    "backup compared": (
        "Порівняно з резервною копією від {time}: додано {added}, видалено {deleted}, змінено {changed}.",
        "Since the backup of {time}: {added} added, {deleted} deleted, {changed} changed.",
        "По сравнению с резервной копией от {time}: добавлено {added}, удалено {deleted}, изменено {changed}.",
    ),
    "bring customers back": (
        "Якщо когось видалено помилково, поверніть його з цієї копії. "
        "Команда нижче лише показує, що буде зроблено; щоб зробити це, додайте --apply.",
        "If somebody was deleted by mistake, bring them back from that backup. "
        "The command below only shows what it would do; to do it, add --apply.",
        "Если кого-то удалили по ошибке, верните его из этой копии. "
        "Команда ниже только показывает, что будет сделано; чтобы сделать это, добавьте --apply.",
    ),
    "deleted": ("Видалені", "Deleted", "Удалённые"),
    "added": ("Додані", "Added", "Добавленные"),
    "changed": ("Змінені", "Changed", "Изменённые"),
    # What the administrator is told
    "what to do": ("Що робити", "What to do", "Что делать"),
    "what the program says": ("Повідомлення програми", "What the program says", "Сообщение программы"),
    # Jobs that fail
    "job failed": ("Помилка: {job}", "Failed: {job}", "Ошибка: {job}"),
    "job works again": ("Знову працює: {job}", "Works again: {job}", "Снова работает: {job}"),
    "failed since": ("Не працює з {since}.", "It has failed since {since}.", "Не работает с {since}."),
    "failed until": (
        "Не працювало з {since}, знову працює з {time}.",
        "It failed from {since} on, and has worked again since {time}.",
        "Не работало с {since}, снова работает с {time}.",
    ),
    "told once a day": (
        "Поки це триває, такий лист надходитиме раз на день.",
        "While this lasts, you will get such a mail once a day.",
        "Пока это длится, такое письмо будет приходить раз в день.",
    ),
    "export_calls_per_day failed": (
        "Денний звіт не зроблено, або його отримали не всі.",
        "The report of a day was not made, or not everybody has got it.",
        "Дневной отчёт не сделан, или его получили не все.",
    ),
    "export_calls_for_period failed": (
        "Звіт за період не зроблено, або його отримали не всі.",
        "The report of a period was not made, or not everybody has got it.",
        "Отчёт за период не сделан, или его получили не все.",
    ),
    "alert_lost_calls failed": (
        "Про втрачені дзвінки зараз дізнаються не всі, або не дізнається ніхто.",
        "Not everybody is told of lost calls now, or nobody is.",
        "О потерянных звонках сейчас узнают не все, или не узнаёт никто.",
    ),
    "download_records failed": (
        "Записи розмов завантажено не всі.",
        "Not all recordings of calls were downloaded.",
        "Записи разговоров загружены не все.",
    ),
    "backup_customers failed": (
        "Нової резервної копії клієнтів немає, або вона викликає сумнів.",
        "There is no new backup of the customers, or it is a doubtful one.",
        "Новой резервной копии клиентов нет, или она вызывает сомнение.",
    ),
    "archive_calls failed": (
        "Архів дзвінків поповнено не повністю.",
        "The archive of calls was not filled as far as it should be.",
        "Архив звонков пополнен не полностью.",
    ),
    "run_schedule failed": (
        "Жодне завдання зараз не виконується.",
        "No job is run now.",
        "Ни одно задание сейчас не выполняется.",
    ),
    "mend and run": (
        "Усуньте причину, про яку говорить програма. Далі все виконуватиметься за розкладом; щоб не чекати, "
        "запустіть завдання командою нижче.",
        "Mend what the program says. The job then runs by its schedule again; to have it run now, "
        "use the command below.",
        "Устраните причину, о которой говорит программа. Дальше всё будет выполняться по расписанию; чтобы не ждать, "
        "запустите задание командой ниже.",
    ),
    "mend": (
        "Усуньте причину, про яку говорить програма. Тоді все продовжиться саме.",
        "Mend what the program says. All then goes on by itself.",
        "Устраните причину, о которой говорит программа. Тогда всё продолжится само.",
    ),
    "nothing to do": ("Робити нічого не потрібно.", "There is nothing to do.", "Делать ничего не нужно."),
    "config file": ("Файл налаштувань: {path}", "Configuration: {path}", "Файл настроек: {path}"),
    "end of the log": ("Кінець журналу", "The end of the log", "Конец журнала"),
    # Reports that do not arrive
    "report refused": ("Звіти не доходять: {to}", "Reports do not arrive: {to}", "Отчёты не доходят: {to}"),
    "report refused for": (
        "Не доставлено звіт «{title}».",
        'The report "{title}" was not delivered.',
        "Не доставлен отчёт «{title}».",
    ),
    "check address": (
        "Перевірте адресу в REPORT_TO. Якщо вона правильна, запитайте про причину тих, хто обслуговує пошту "
        "отримувача. Щоб надіслати цей звіт іще раз, експортуйте його вручну.",
        "Check the address in REPORT_TO. If it is right, ask those who run the recipient's mail for the reason. "
        "To send this report once more, export it by hand.",
        "Проверьте адрес в REPORT_TO. Если он верный, спросите о причине тех, кто обслуживает почту получателя. "
        "Чтобы отправить этот отчёт ещё раз, экспортируйте его вручную.",
    ),
    "told once": (
        "Наступні звіти надсилатимуться й на цю адресу, але більше про це не повідомлятимемо.",
        "Later reports are sent to this address, too, but you will not be told of this again.",
        "Следующие отчёты будут отправляться и на этот адрес, но больше об этом сообщать не будем.",
    ),
    # Columns
    "time": ("Час", "Time", "Время"),
    "day": ("День", "Day", "День"),
    "weekday": ("День тижня", "Weekday", "День недели"),
    "hour": ("Година", "Hour", "Час"),
    "direction": ("Напрямок", "Direction", "Направление"),
    "number": ("Номер", "Number", "Номер"),
    "customer": ("Клієнт", "Customer", "Клиент"),
    "employee": ("Працівник", "Employee", "Сотрудник"),
    "line": ("Лінія", "Line", "Линия"),
    "result": ("Результат", "Result", "Результат"),
    "lost": ("Втрачений", "Lost", "Потерянный"),
    "wait": ("Очікування", "Wait", "Ожидание"),
    "talk": ("Розмова", "Talk", "Разговор"),
    "our number": ("Наш номер", "Our number", "Наш номер"),
    "our number's name": ("Назва номера", "Number's name", "Название номера"),
    "call id": ("ID дзвінка", "Call ID", "ID звонка"),
    "id": ("ID", "ID", "ID"),
    "numbers": ("Номери", "Numbers", "Номера"),
    "name": ("Ім’я", "Name", "Имя"),
    "description": ("Опис", "Description", "Описание"),
    "email": ("Ел. пошта", "E-mail", "Эл. почта"),
    "labels": ("Мітки", "Labels", "Метки"),
    "times": ("Разів", "Times", "Раз"),
    "waiting times": ("Без передзвону", "Not called back", "Без перезвона"),
    "state": ("Стан", "State", "Состояние"),
    "lost at": ("{count}×, востаннє {time}", "{count}×, last {time}", "{count}×, последний раз {time}"),
    "first time": ("Перший раз", "First time", "Первый раз"),
    "last time": ("Останній раз", "Last time", "Последний раз"),
    "callback time": ("Передзвонили", "Called back", "Перезвонили"),
    "callback after": ("Через", "After", "Через"),
    "callback by": ("Хто", "By whom", "Кто"),
    # Values
    "incoming": ("вхідний", "incoming", "входящий"),
    "outgoing": ("вихідний", "outgoing", "исходящий"),
    "lost, called back": ("передзвонили", "called back", "перезвонили"),
    "lost, waiting": ("не передзвонили", "not called back", "не перезвонили"),
    "lost, unknown": ("втрачений", "lost", "потерянный"),
    "no line": ("без лінії", "no line", "без линии"),
    "hidden number": ("прихований номер", "hidden number", "скрытый номер"),
    "hours": ("{count} год", "{count} h", "{count} ч"),
    "minutes": ("{count} хв", "{count} min", "{count} мин"),
    "seconds": ("{count} с", "{count} s", "{count} с"),
    # Dispositions; unknown ones are shown as they are
    "ANSWER": ("розмова", "talked", "разговор"),
    "TRANSFER": ("розмова, переведено", "talked, transferred", "разговор, переведён"),
    "ONLINE": ("триває", "going on", "идёт"),
    "CALLING": ("дзвонить", "ringing", "звонит"),
    "BUSY": ("зайнято", "busy", "занято"),
    "NOANSWER": ("немає відповіді", "no answer", "нет ответа"),
    "CANCEL": ("скасовано", "cancelled", "отменён"),
    "CONGESTION": ("перевантаження", "congestion", "перегрузка"),
    "CHANUNAVAIL": ("лінія недоступна", "line unavailable", "линия недоступна"),
    "VM": ("голосова пошта, без повідомлення", "voice mail, no message", "голосовая почта, без сообщения"),
    "VM-SUCCESS": ("голосове повідомлення", "voice message", "голосовое сообщение"),
    "SMS-SENDING": ("SMS надсилається", "SMS being sent", "SMS отправляется"),
    "SMS-SUCCESS": ("SMS доставлено", "SMS delivered", "SMS доставлено"),
    "SMS-FAILED": ("SMS не доставлено", "SMS not delivered", "SMS не доставлено"),
    "SUCCESS": ("факс отримано", "fax received", "факс получен"),
    "FAILED": ("факс не отримано", "fax not received", "факс не получен"),
}

_DATE_FORMATS = ("%d.%m.%Y", "%Y-%m-%d", "%d.%m.%Y")
# As Excel spells it.
_EXCEL_DATE_FORMATS = ("dd.mm.yyyy", "yyyy-mm-dd", "dd.mm.yyyy")
_EXCEL_SHORT_DATE_FORMATS = ("dd.mm", "mm-dd", "dd.mm")
_WEEKDAYS = (
    ("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя"),
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
)
_SHORT_WEEKDAYS = (
    ("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Нд"),
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"),
)


class Labels:
    """The words of one language: `labels["number"]`, `labels.format("subject", day=...)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __getitem__(self, name: str) -> str:
        return _WORDS[name][self._column]

    def format(self, name: str, **values: object) -> str:
        return self[name].format(**values)

    def disposition(self, disposition: str) -> str:
        """What became of a call; a disposition that we do not know is shown as it is, and "" is one that rings."""
        disposition = disposition or "CALLING"
        return self[disposition] if disposition in _WORDS and disposition.isupper() else disposition

    def date(self, day: date) -> str:
        """24.05.2024 or 2024-05-24."""
        return day.strftime(_DATE_FORMATS[self._column])

    def weekday(self, weekday: int) -> str:
        """The name of a day of the week; 0 is Monday."""
        return _WEEKDAYS[self._column][weekday]

    def short_weekday(self, weekday: int) -> str:
        return _SHORT_WEEKDAYS[self._column][weekday]

    def time(self, moment: datetime) -> str:
        return moment.strftime("%H:%M")

    def moment(self, moment: datetime) -> str:
        """24.05.2024 09:30 or 2024-05-24 09:30."""
        return f"{self.date(moment)} {self.time(moment)}"

    @property
    def excel_date_format(self) -> str:
        return _EXCEL_DATE_FORMATS[self._column]

    @property
    def excel_short_date_format(self) -> str:
        """Without the year."""
        return _EXCEL_SHORT_DATE_FORMATS[self._column]

    def duration(self, seconds: float | None) -> str:
        """A duration in words, as exact as its size asks for: 2 h 5 min, 5 min 20 s, 20 s."""
        if seconds is None:
            return "—"
        whole = round(seconds)
        if whole >= 3600:
            parts = {"hours": whole // 3600, "minutes": whole % 3600 // 60}
        else:
            parts = {"minutes": whole // 60, "seconds": whole % 60}
        words = [self.format(unit, count=count) for unit, count in parts.items() if count]
        return " ".join(words) or self.format("seconds", count=0)
