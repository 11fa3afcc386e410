"""The words people see in reports and mails, in Ukrainian, English and Russian."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_interval, format_time
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

LANGUAGES = ("uk", "en", "ru")

# Every word once, in the order of LANGUAGES.
_WORDS: dict[str, tuple[str, str, str]] = {
    # The report as a whole; a text with | has a form for each of its language's plurals
    "subject": (
        "{waiting}прийнято {percent} — дзвінки {period}",
        "{waiting}{percent} answered — calls {period}",
        "{waiting}принято {percent} — звонки {period}",
    ),
    "subject waiting": ("Передзвонити: {count}, ", "To call back: {count}, ", "Перезвонить: {count}, "),
    "subject counts": (
        "Дзвінки {period}: вхідних {incoming}, вихідних {outgoing}",
        "Calls {period}: {incoming} incoming, {outgoing} outgoing",
        "Звонки {period}: входящих {incoming}, исходящих {outgoing}",
    ),
    "subject one way": ("Дзвінки {period}: {count}", "Calls {period}: {count}", "Звонки {period}: {count}"),
    "title": ("Дзвінки: {when}", "Calls: {when}", "Звонки: {when}"),
    "partial": (
        "Дані на {time}: день ще триває",
        "Data as of {time}: the day is not over",
        "Данные на {time}: день ещё не закончился",
    ),
    "partial period": (
        "Дані на {time}: останній день ще триває",
        "Data as of {time}: the last day is not over",
        "Данные на {time}: последний день ещё не закончился",
    ),
    "partial subject": (" (станом на {time})", " (as of {time})", " (на {time})"),
    "no calls": ("Дзвінків не було.", "There were no calls.", "Звонков не было."),
    "unreadable calls": (
        "Не вдалося прочитати записів: {count}. Цих дзвінків тут немає",
        "Entries that could not be read: {count}. These calls are not here",
        "Не удалось прочитать записей: {count}. Этих звонков здесь нет",
    ),
    "spells unknown": (
        "Кому передзвонили, невідомо: дзвінків інших ліній або напрямків тут немає",
        "Who was called back is unknown: calls of other lines or directions are not here",
        "Кому перезвонили, неизвестно: звонков других линий или направлений здесь нет",
    ),
    "attached": ("Повний список — у вкладенні.", "The full list is attached.", "Полный список — во вложении."),
    "too large": (
        "Повний список завеликий для листа. Він тут: {paths}",
        "The full list is too large for a mail. It is here: {paths}",
        "Полный список слишком велик для письма. Он здесь: {paths}",
    ),
    # The sentence on top of it
    "answered of": (
        "Прийнято {percent} з {count} вхідного дзвінка|Прийнято {percent} з {count} вхідних дзвінків"
        "|Прийнято {percent} з {count} вхідних дзвінків",
        "Answered {percent} of {count} incoming call|Answered {percent} of {count} incoming calls",
        "Принято {percent} из {count} входящего звонка|Принято {percent} из {count} входящих звонков"
        "|Принято {percent} из {count} входящих звонков",
    ),
    "no incoming": (
        "Завершених вхідних дзвінків не було",
        "No incoming calls were finished",
        "Завершённых входящих звонков не было",
    ),
    "outgoing of": (
        "Додзвонилися в {percent} із {count} вихідного дзвінка|Додзвонилися в {percent} із {count} вихідних дзвінків"
        "|Додзвонилися в {percent} із {count} вихідних дзвінків",
        "Reached somebody in {percent} of {count} outgoing call"
        "|Reached somebody in {percent} of {count} outgoing calls",
        "Дозвонились в {percent} из {count} исходящего звонка|Дозвонились в {percent} из {count} исходящих звонков"
        "|Дозвонились в {percent} из {count} исходящих звонков",
    ),
    "points more": (
        ", на {points} пункт більше, ніж {before}|, на {points} пункти більше, ніж {before}"
        "|, на {points} пунктів більше, ніж {before}|, на {points} пункту більше, ніж {before}",
        ", {points} point more than {before}|, {points} points more than {before}",
        ", на {points} пункт больше, чем {before}|, на {points} пункта больше, чем {before}"
        "|, на {points} пунктов больше, чем {before}|, на {points} пункта больше, чем {before}",
    ),
    "points less": (
        ", на {points} пункт менше, ніж {before}|, на {points} пункти менше, ніж {before}"
        "|, на {points} пунктів менше, ніж {before}|, на {points} пункту менше, ніж {before}",
        ", {points} point less than {before}|, {points} points less than {before}",
        ", на {points} пункт меньше, чем {before}|, на {points} пункта меньше, чем {before}"
        "|, на {points} пунктов меньше, чем {before}|, на {points} пункта меньше, чем {before}",
    ),
    "as many": (", стільки ж, скільки {before}", ", as {before}", ", столько же, сколько {before}"),
    "in the month before": ("попереднього місяця", "in the month before", "в предыдущем месяце"),
    "in the days before": (
        "за попередній {count} день|за попередні {count} дні|за попередні {count} днів",
        "in the {count} day before|in the {count} days before",
        "за предыдущий {count} день|за предыдущие {count} дня|за предыдущие {count} дней",
    ),
    "still wait": (
        "; потрібно передзвонити {count} людині|; потрібно передзвонити {count} людям|; потрібно передзвонити"
        " {count} людям",
        "; {count} caller still needs a call back|; {count} callers still need a call back",
        "; нужно перезвонить {count} человеку|; нужно перезвонить {count} людям|; нужно перезвонить {count} людям",
    ),
    "nobody waits": (
        "; передзвонювати нікому не потрібно",
        "; nobody needs a call back",
        "; перезванивать никому не нужно",
    ),
    "compared with": ("▲▼ — порівняно з {period}", "▲▼ compared with {period}", "▲▼ — по сравнению с {period}"),
    "until as well": ("{day}, теж до {time}", "{day}, up to {time} as well", "{day}, тоже до {time}"),
    "without a result": (
        "вхідних без результату: {count}, у відсотки вони не входять",
        "incoming without a result: {count}, not in the percentages",
        "входящих без результата: {count}, в проценты они не входят",
    ),
    "points": ("в.\u00a0п.", "pp", "п.\u00a0п."),
    "better": ("краще", "better", "лучше"),
    "worse": ("гірше", "worse", "хуже"),
    # Sheets
    "sheet summary": ("Підсумок", "Summary", "Итоги"),
    "sheet to call": ("Передзвонити", "To call", "Перезвонить"),
    "sheet calls": ("Дзвінки", "Calls", "Звонки"),
    "sheet employees": ("Працівники", "Employees", "Сотрудники"),
    "sheet our numbers": ("Наші номери", "Our numbers", "Наши номера"),
    "sheet groups": ("Групи", "Groups", "Группы"),
    "sheet sources": ("Джерела", "Sources", "Источники"),
    "sheet days": ("За днями", "By day", "По дням"),
    "sheet weeks": ("За тижнями", "By week", "По неделям"),
    "sheet months": ("За місяцями", "By month", "По месяцам"),
    "sheet week": ("Години тижня", "Hours of the week", "Часы недели"),
    "sheet how": ("Як ми рахуємо", "How we count", "Как мы считаем"),
    # Tiles
    "tile incoming": ("Вхідні", "Incoming", "Входящие"),
    "tile answered": ("Прийняті", "Answered", "Принятые"),
    "tile soon": ("Прийняті за {seconds} с", "Answered within {seconds} s", "Принятые за {seconds} с"),
    "tile lost": ("Втрачені", "Lost", "Потерянные"),
    "tile to call": ("Потрібно передзвонити", "To call back", "Нужно перезвонить"),
    # Headings
    "to call": ("Кому передзвонити", "Whom to call", "Кому перезвонить"),
    "to call by time": (
        "Кому передзвонити, за часом дзвінка",
        "Whom to call back, by time of the call",
        "Кому перезвонить, по времени звонка",
    ),
    "most urgent by time": (
        "Кому передзвонити: {count} найважливіших, за часом дзвінка",
        "Whom to call back: the {count} most urgent, by time of the call",
        "Кому перезвонить: {count} самых важных, по времени звонка",
    ),
    "to call first": (
        "Кому передзвонити, спершу найважливіші",
        "Whom to call back, the most urgent first",
        "Кому перезвонить, сначала самые важные",
    ),
    "to call of a day": (
        "Кому передзвонити з тих, хто дзвонив цього дня",
        "Whom to call back, of this day’s callers",
        "Кому перезвонить из тех, кто звонил в этот день",
    ),
    "to call of a period": (
        "Кому передзвонити з тих, хто дзвонив за цей час",
        "Whom to call back, of this time’s callers",
        "Кому перезвонить из тех, кто звонил за это время",
    ),
    "by hour": ("Вхідні за годинами", "Incoming by hour", "Входящие по часам"),
    "by day": ("Вхідні за днями", "Incoming by day", "Входящие по дням"),
    "by week": ("Вхідні за тижнями", "Incoming by week", "Входящие по неделям"),
    "by month": ("Вхідні за місяцями", "Incoming by month", "Входящие по месяцам"),
    "by employee": ("Працівники", "Employees", "Сотрудники"),
    "by our number": ("Наші номери", "Our numbers", "Наши номера"),
    "top callers": ("Хто дзвонить найчастіше", "Who calls most", "Кто звонит чаще всего"),
    "by age": ("Як довго чекають", "How long they wait", "Как долго ждут"),
    "waiting": ("Чекають", "Waiting", "Ждут"),
    "age under": ("до {duration}", "under {duration}", "до {duration}"),
    "age over": ("понад {duration}", "over {duration}", "свыше {duration}"),
    "incoming an hour": (
        "Вхідних дзвінків за годину, у середньому",
        "Incoming calls an hour, on average",
        "Входящих звонков в час, в среднем",
    ),
    "lost an hour": ("З них втрачених", "Lost of these", "Из них потерянных"),
    "and more": (
        "та ще {count} — у повному списку",
        "and {count} more in the full list",
        "и ещё {count} — в полном списке",
    ),
    "and so many more": ("та ще {count}", "and {count} more", "и ещё {count}"),
    "and more on sheet": (
        "та ще {count} — на аркуші «{sheet}»",
        "and {count} more on the sheet “{sheet}”",
        "и ещё {count} — на листе «{sheet}»",
    ),
    "by hour sheet": ("За годинами", "By hour", "По часам"),
    "so many lost": ("втрачено {count}", "{count} lost", "потеряно {count}"),
    "nobody to call": ("Передзвонювати нікому", "Nobody to call back", "Перезванивать некому"),
    "chart": (
        "Стовпчики показують прийняті та втрачені дзвінки.",
        "The bars show answered and lost calls.",
        "Столбцы показывают принятые и потерянные звонки.",
    ),
    # What became of a lost caller: a mark and a word, so that nobody depends on a colour
    "called_back": ("✓ передзвонили", "✓ called back", "✓ перезвонили"),
    "got_through": ("↺ додзвонилися самі", "↺ got through", "↺ дозвонились сами"),
    "tried": ("… не додзвонилися", "… tried, not reached", "… не дозвонились"),
    "nobody": ("✗ не передзвонили", "✗ not called back", "✗ не перезвонили"),
    "lost": ("втрачений", "lost", "потерянный"),
    # How we count: a figure, and what it is
    "how": (
        "За цими цифрами ухвалюють рішення, тож кожна має одне значення. SMS і факси не враховано.",
        "Decisions are made by these figures, so each has one meaning. SMS and faxes are not counted.",
        "По этим цифрам принимают решения, поэтому у каждой одно значение. SMS и факсы не учитываются.",
    ),
    "how incoming": (
        "Усі дзвінки до нас: прийняті, втрачені й інші (ще тривають або з невідомим результатом).",
        "All calls to us: answered, lost, and others (still going on, or with an unknown result).",
        "Все звонки к нам: принятые, потерянные и другие (ещё идут или с неизвестным результатом).",
    ),
    "how answered": ("З абонентом поговорили.", "Somebody spoke to the caller.", "С абонентом поговорили."),
    "how answered percent": (
        "Прийняті / (прийняті + втрачені).",
        "Answered / (answered + lost).",
        "Принятые / (принятые + потерянные).",
    ),
    "how soon": (
        "Частка дзвінків, на які відповіли за {seconds} с. Хто поклав слухавку за перші {at_once} с, не враховується.",
        "The share of calls that were answered within {seconds} s. Who hung up within {at_once} s is left out.",
        "Доля звонков, на которые ответили за {seconds} с. Кто положил трубку за первые {at_once} с, не учитывается.",
    ),
    "how wait average": (
        "Скільки вони чекали на відповідь у середньому.",
        "How long they waited for an answer on average.",
        "Сколько они ждали ответа в среднем.",
    ),
    "how wait median": ("Половина чекала не довше.", "Half of them waited no longer.", "Половина ждала не дольше."),
    "how wait longest": ("Найдовше чекання.", "The longest wait.", "Самое долгое ожидание."),
    "how lost": (
        "З абонентом ніхто не поговорив: не дочекався, було зайнято або залишив голосове повідомлення.",
        "Nobody spoke to the caller: who gave up, found the line busy, or left a voice message.",
        "С абонентом никто не поговорил: не дождался, было занято или оставил голосовое сообщение.",
    ),
    "how at once": (
        "З втрачених — ті, хто поклав слухавку за перші {at_once} с.",
        "Of the lost, those who hung up within {at_once} s.",
        "Из потерянных — те, кто положил трубку за первые {at_once} с.",
    ),
    "how outside hours": (
        "З втрачених — ті, хто дзвонив у неробочий час.",
        "Of the lost, those who called outside working hours.",
        "Из потерянных — те, кто звонил в нерабочее время.",
    ),
    "how hidden": (
        "Дзвінок із прихованого номера рахується як дзвінок, але передзвонити на нього не можна.",
        "A call from a hidden number is counted as a call; but it cannot be called back.",
        "Звонок со скрытого номера считается как звонок, но перезвонить на него нельзя.",
    ),
    "how callers": (
        "Різні номери серед вхідних дзвінків.",
        "Different numbers among incoming calls.",
        "Разные номера среди входящих звонков.",
    ),
    "how new": (
        "З них ті, хто дзвонив уперше (за даними Binotel).",
        "Of these, those that called for the first time, as Binotel says.",
        "Из них те, кто звонил впервые (по данным Binotel).",
    ),
    "how lost callers": (
        "Різні номери серед втрачених дзвінків.",
        "Different numbers among lost calls.",
        "Разные номера среди потерянных звонков.",
    ),
    "how to call": (
        "Люди, чиї дзвінки втрачено за час звіту і з якими відтоді ніхто не поговорив. Спершу ті, хто залишив"
        " повідомлення, потім ваші клієнти, потім ті, хто дзвонив частіше, потім ті, хто чекає довше.",
        "People whose calls were lost in the time of the report and to whom nobody has spoken since. First those who"
        " left a message, then your clients, then who called more often, then who waits longer.",
        "Люди, чьи звонки потеряны за время отчёта и с кем с тех пор никто не поговорил. Сначала те, кто оставил"
        " сообщение, потом ваши клиенты, потом те, кто звонил чаще, потом те, кто ждёт дольше.",
    ),
    "how cases": (
        "Випадок — усі втрачені дзвінки однієї людини, доки з нею не поговорять. Дзвінок, утрачений після розмови,"
        " починає новий, тож випадків може бути більше, ніж людей.",
        "A case is all lost calls of one caller until somebody speaks to them. A call that is lost after that begins"
        " another, so there may be more cases than callers.",
        "Случай — все потерянные звонки одного человека, пока с ним не поговорят. Звонок, потерянный после"
        " разговора, начинает новый, поэтому случаев может быть больше, чем людей.",
    ),
    "how called_back": (
        "Ми передзвонили й поговорили.",
        "We called back, and spoke to the caller.",
        "Мы перезвонили и поговорили.",
    ),
    "how within 15_min": (
        "З них — за 15 хвилин від першого втраченого дзвінка.",
        "Of these, within 15 minutes of the first lost call.",
        "Из них — за 15 минут от первого потерянного звонка.",
    ),
    "how within 1_h": ("З них — за годину.", "Of these, within an hour.", "Из них — за час."),
    "how within 24_h": ("З них — за добу.", "Of these, within a day.", "Из них — за сутки."),
    "how median callback": (
        "Половині передзвонили не пізніше ніж через стільки.",
        "Half of them were called back within this time.",
        "Половине перезвонили не позже чем через столько.",
    ),
    "how got_through": (
        "Людині довелося дзвонити ще раз, і тоді їй відповіли. Зворотним дзвінком це не вважається.",
        "The caller had to ring again, and was answered then. That does not count as a call back.",
        "Человеку пришлось звонить ещё раз, и тогда ему ответили. Обратным звонком это не считается.",
    ),
    "how tried": (
        "Ми дзвонили після останнього втраченого дзвінка, але ще не поговорили.",
        "We called after the last lost call, but have not spoken to the caller yet.",
        "Мы звонили после последнего потерянного звонка, но ещё не поговорили.",
    ),
    "how nobody": (
        "Після останнього втраченого дзвінка цій людині ніхто не дзвонив.",
        "Nobody has called since the last lost call.",
        "После последнего потерянного звонка этому человеку никто не звонил.",
    ),
    "how open after a day": (
        "Випадки, у яких за добу від першого втраченого дзвінка ніхто не поговорив, навіть якщо поговорили згодом.",
        "Cases in which nobody spoke to the caller within a day of the first lost call, even where somebody did later.",
        "Случаи, в которых за сутки от первого потерянного звонка никто не поговорил, даже если поговорили позже.",
    ),
    "how outgoing": ("Дзвінки, які робили ми.", "Calls that we made.", "Звонки, которые делали мы."),
    "how outgoing answered": (
        "З них ті, у яких поговорили.",
        "Of these, those in which somebody spoke to us.",
        "Из них те, в которых поговорили.",
    ),
    "how talk": (
        "Тривалість розмов у прийнятих і вихідних дзвінках.",
        "How long people talked in answered and in outgoing calls.",
        "Продолжительность разговоров в принятых и исходящих звонках.",
    ),
    "how rung in lost": (
        "Втрачені дзвінки, під час яких дзвонив телефон цього працівника: один дзвінок може дзвонити в кількох."
        " Дзвінок,"
        " на який відповів колега, не рахується нікому.",
        "Lost calls in which this employee’s phone rang; one call may ring at several. A call that a colleague answered"
        " is held against nobody.",
        "Потерянные звонки, во время которых звонил телефон этого сотрудника: один звонок может звонить у нескольких."
        " Звонок, на который ответил коллега, не засчитывается никому.",
    ),
    "how picked up": (
        "Прийняті / (прийняті + пропущені).",
        "Answered / (answered + missed).",
        "Принятые / (принятые + пропущенные).",
    ),
    "how callbacks": (
        "Скільки випадків цей працівник закінчив: передзвонив і поговорив.",
        "How many cases this employee ended: called back, and spoke to the caller.",
        "Сколько случаев этот сотрудник закончил: перезвонил и поговорил.",
    ),
    "how compared": (
        "День порівнюється з тим самим днем тижня тиждень тому, місяць — із попереднім місяцем, інший період — із такою"
        " ж кількістю днів перед ним. Різниця відсотків — у пунктах.",
        "A day is compared with the same weekday a week before, a month with the month before, any other period with as"
        " many days before it. Percentages differ by points.",
        "День сравнивается с тем же днём недели неделю назад, месяц — с предыдущим месяцем, другой период — с таким же"
        " количеством дней перед ним. Разница процентов — в пунктах.",
    ),
    # Figures that only that list has
    "wait answered average": (
        "Очікування прийнятих: у середньому",
        "Wait of the answered: average",
        "Ожидание принятых: в среднем",
    ),
    "wait answered median": (
        "Очікування прийнятих: медіана",
        "Wait of the answered: median",
        "Ожидание принятых: медиана",
    ),
    "wait answered longest": (
        "Очікування прийнятих: найдовше",
        "Wait of the answered: longest",
        "Ожидание принятых: самое долгое",
    ),
    "wait lost average": (
        "Очікування втрачених: у середньому",
        "Wait of the lost: average",
        "Ожидание потерянных: в среднем",
    ),
    "wait lost median": ("Очікування втрачених: медіана", "Wait of the lost: median", "Ожидание потерянных: медиана"),
    "wait lost longest": (
        "Очікування втрачених: найдовше",
        "Wait of the lost: longest",
        "Ожидание потерянных: самое долгое",
    ),
    "at once": ("Поклали слухавку одразу", "Hung up at once", "Положили трубку сразу"),
    "outside hours": ("Втрачені в неробочий час", "Lost outside hours", "Потерянные в нерабочее время"),
    "hidden calls": ("Приховані номери", "Hidden numbers", "Скрытые номера"),
    "different callers": ("Різні номери", "Different numbers", "Разные номера"),
    "lost callers": ("Чиї дзвінки втрачено", "Lost callers", "Чьи звонки потеряны"),
    "within 15_min": ("Передзвонили за 15 хв", "Called back within 15 min", "Перезвонили за 15 мин"),
    "within 1_h": ("Передзвонили за 1 год", "Called back within 1 h", "Перезвонили за 1 ч"),
    "within 24_h": ("Передзвонили за 24 год", "Called back within 24 h", "Перезвонили за 24 ч"),
    "median callback": ("Через скільки передзвонили", "Time to call back", "Через сколько перезвонили"),
    "cases": ("Випадки втрат", "Cases of lost calls", "Случаи потерь"),
    "open after a day": ("Понад добу без розмови", "Nobody spoke for a day", "Больше суток без разговора"),
    # The alert
    "waiting callers": ("Чекають на дзвінок: {count}", "Waiting for a call: {count}", "Ждут звонка: {count}"),
    "all waiting": ("Усього чекають: {count}", "Waiting in all: {count}", "Всего ждут: {count}"),
    "and so many later": (
        "Ще {count} — у наступному повідомленні",
        "{count} more in the next message",
        "Ещё {count} — в следующем сообщении",
    ),
    "yesterday": ("вчора {time}", "yesterday {time}", "вчера {time}"),
    "waited": ("очікування {time}", "waited {time}", "ожидание {time}"),
    "lost again": (
        "дзвонить {times} (перший раз: {time})",
        "called {times} (first: {time})",
        "звонит {times} (первый раз: {time})",
    ),
    "2 times": ("удруге", "a second time", "во второй раз"),
    "3 times": ("утретє", "a third time", "в третий раз"),
    "4 times": ("учетверте", "a fourth time", "в четвёртый раз"),
    "5 times": ("уп’яте", "a fifth time", "в пятый раз"),
    "many times": ("уже {count}-й раз", "{count} times by now", "уже {count}-й раз"),
    "called line": ("наш номер: {line}", "our number: {line}", "наш номер: {line}"),
    "left a message": ("є голосове повідомлення", "left a voice message", "есть голосовое сообщение"),
    "waits for days": (
        "чекає {count} день|чекає {count} дні|чекає {count} днів",
        "has waited for {count} day|has waited for {count} days",
        "ждёт {count} день|ждёт {count} дня|ждёт {count} дней",
    ),
    "tried to call back": (
        "передзвонювали, але не додзвонилися",
        "we called back, but did not reach them",
        "перезванивали, но не дозвонились",
    ),
    "rang at": ("у кого дзвонило: {lines}", "who was rung: {lines}", "у кого звонило: {lines}"),
    "spoke with": ("остання розмова: {employee}", "last spoke with {employee}", "последний разговор: {employee}"),
    "wait no more": ("Уже не чекають", "No longer waiting", "Уже не ждут"),
    "called back by": (
        "передзвонили через {time} — {employee}",
        "called back by {employee} after {time}",
        "перезвонили через {time} — {employee}",
    ),
    "called back after": ("передзвонили через {time}", "called back after {time}", "перезвонили через {time}"),
    "got through": (
        "додзвонилися самі через {time}",
        "got through themselves after {time}",
        "дозвонились сами через {time}",
    ),
    # The alert about lines
    "line offline": (
        "Лінія {line} не в мережі з {time}",
        "Line {line} has been offline since {time}",
        "Линия {line} не в сети с {time}",
    ),
    "line back": (
        "Лінія {line} знову в мережі, не було {time}",
        "Line {line} is online again, after {time}",
        "Линия {line} снова в сети, не было {time}",
    ),
    "calls silent": (
        "Вхідних дзвінків немає з {time}",
        "No incoming calls since {time}",
        "Входящих звонков нет с {time}",
    ),
    "usually so many": (
        "Зазвичай за цей час їх приблизно {count}. Зателефонуйте на свій номер: чи працює телефонія?",
        "There are usually some {count} in such a time. Call your own number: does it ring?",
        "Обычно за это время их примерно {count}. Позвоните на свой номер: работает ли телефония?",
    ),
    "calls come again": (
        "Дзвінки знову надходять (не було з {time})",
        "Calls come again (none since {time})",
        "Звонки снова поступают (не было с {time})",
    ),
    "check the phone": (
        "Перевірте, чи ввімкнено телефон або програму та чи є інтернет.",
        "Check whether the telephone or the program is on, and the internet connection.",
        "Проверьте, включён ли телефон или программа и есть ли интернет.",
    ),
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
    "alert_lines failed": (
        "Якщо лінія зараз зникне з мережі, про це ніхто не дізнається.",
        "If a line goes offline now, nobody is told.",
        "Если линия сейчас пропадёт из сети, об этом никто не узнает.",
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
    "tell_health failed": (
        "Тижневий звіт про роботу скриптів не надіслано.",
        "The weekly mail about the scripts was not sent.",
        "Недельный отчёт о работе скриптов не отправлен.",
    ),
    # The weekly mail about the scripts
    "health well": ("Скрипти Binotel: усе гаразд", "Binotel scripts: all is well", "Скрипты Binotel: всё в порядке"),
    "health failures": (
        "Скрипти Binotel: невдалих запусків: {count}",
        "Binotel scripts: runs that failed: {count}",
        "Скрипты Binotel: неудачных запусков: {count}",
    ),
    "health since": ("За час від {since}.", "Since {since}.", "За время с {since}."),
    "health runs": ("Запуски", "Runs", "Запуски"),
    "health run": (
        "{job}: {runs}, з них невдалих {failures}",
        "{job}: {runs}, of which {failures} failed",
        "{job}: {runs}, из них неудачных {failures}",
    ),
    "health requests": ("Витрачено запитів із квоти", "Requests spent of the quota", "Потрачено запросов из квоты"),
    "health space": ("Місце на диску", "Disk space", "Место на диске"),
    "health size": ("{what}: {size} МБ ({more})", "{what}: {size} MB ({more})", "{what}: {size} МБ ({more})"),
    "health database": ("база даних", "the database", "база данных"),
    "health records": ("записи розмов", "the recordings", "записи разговоров"),
    "health reports": ("звіти й копії", "reports and backups", "отчёты и копии"),
    "health free": ("вільно: {size} МБ", "free: {size} MB", "свободно: {size} МБ"),
    "health days": (
        "за такого темпу вистачить на {count} день|за такого темпу вистачить на {count} дні|за такого темпу "
        "вистачить на {count} днів",
        "at this rate enough for {count} day|at this rate enough for {count} days",
        "при таком темпе хватит на {count} день|при таком темпе хватит на {count} дня|при таком темпе хватит на "
        "{count} дней",
    ),
    "health unfinished": ("Найдавніше незавершене", "The oldest that is not done", "Самое давнее незавершённое"),
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
    # check_setup.py: what each check is called, what it found, what to do
    "check python": ("Python", "Python", "Python"),
    "check config": ("Налаштування", "Configuration", "Настройки"),
    "check folders": ("Папки й диск", "Folders and disk", "Папки и диск"),
    "check database": ("База даних", "Database", "База данных"),
    "check api": ("Binotel", "Binotel", "Binotel"),
    "check mail": ("Пошта", "Mail", "Почта"),
    "check chats": ("Чати", "Chats", "Чаты"),
    "check recordings": ("Записи розмов", "Recordings", "Записи разговоров"),
    "check schedule": ("Розклад", "Schedule", "Расписание"),
    "check loop": ("Запуск за розкладом", "Running by schedule", "Запуск по расписанию"),
    "check sending": ("Пробне повідомлення", "Test message", "Пробное сообщение"),
    "check message": (
        "Перевірка: повідомлення від скриптів Binotel надходитимуть сюди",
        "A test: messages of the Binotel scripts will come here",
        "Проверка: сообщения от скриптов Binotel будут приходить сюда",
    ),
    "check ended": (
        "Помилок: {faults}, застережень: {warnings}.",
        "Faults: {faults}, warnings: {warnings}.",
        "Ошибок: {faults}, предупреждений: {warnings}.",
    ),
    "check ended well": ("Усе гаразд.", "All is well.", "Всё в порядке."),
    "says": ("{problem}", "{problem}", "{problem}"),
    "took too long": (
        "перевірка не закінчилася за {seconds} с.",
        "the check was not over after {seconds} s.",
        "проверка не закончилась за {seconds} с.",
    ),
    "broke": ("перевірка зламалася: {problem}.", "the check broke: {problem}.", "проверка сломалась: {problem}."),
    "packages fine": (
        "версія {version}, усі пакети на місці.",
        "version {version}, with all packages.",
        "версия {version}, все пакеты на месте.",
    ),
    "packages missing": ("бракує пакетів: {names}.", "packages are missing: {names}.", "не хватает пакетов: {names}."),
    "packages other": (
        "пакети інших версій, ніж перевірено: {names}.",
        "packages of other versions than were tested: {names}.",
        "пакеты других версий, чем проверено: {names}.",
    ),
    "config fine": (
        "{path} прочитано, помилок немає.",
        "{path} was read, without faults.",
        "{path} прочитан, ошибок нет.",
    ),
    "config environment": (
        "файлу config.env немає, усе взято зі змінних середовища.",
        "there is no config.env: all comes from the environment.",
        "файла config.env нет, всё взято из переменных среды.",
    ),
    "after config": (
        "решту перевіримо, коли налаштування буде виправлено.",
        "the rest is checked when the configuration is mended.",
        "остальное проверим, когда настройки будут исправлены.",
    ),
    "after database": (
        "решту перевіримо, коли база даних запрацює.",
        "the rest is checked when the database can be used.",
        "остальное проверим, когда база данных заработает.",
    ),
    "folders fine": (
        "у папки звітів, копій і бази можна записувати.",
        "reports, backups and the database can be written.",
        "в папки отчётов, копий и базы можно записывать.",
    ),
    "folder closed": (
        "у {path} ({key}) не можна записувати.",
        "{path} ({key}) cannot be written to.",
        "в {path} ({key}) нельзя записывать.",
    ),
    "disk fine": (
        "місця вистачить: на місяць потрібно щонайбільше {needed} МБ.",
        "there is room: a month takes {needed} MB at most.",
        "места хватит: на месяц нужно не больше {needed} МБ.",
    ),
    "disk full": (
        "на диску {path} вільно {free} МБ, а на місяць потрібно {needed} МБ.",
        "the disk of {path} has {free} MB left, and a month takes {needed} MB.",
        "на диске {path} свободно {free} МБ, а на месяц нужно {needed} МБ.",
    ),
    "database new": (
        "{path} ще немає, її буде створено.",
        "{path} is not there yet: it is made.",
        "{path} ещё нет, она будет создана.",
    ),
    "database file": ("{path} ціла.", "{path} is whole.", "{path} цела."),
    "database server": (
        "сервер PostgreSQL {version} відповідає, прав вистачає.",
        "the PostgreSQL {version} server answers, and we may make tables.",
        "сервер PostgreSQL {version} отвечает, прав достаточно.",
    ),
    "database emptied": ("{path} спорожнів.", "{path} has been emptied.", "{path} опустел."),
    "database broken": (
        "{path} пошкоджено: {problem}.",
        "{path} is damaged: {problem}.",
        "{path} повреждён: {problem}.",
    ),
    "database closed": ("не відкривається: {problem}", "cannot be used: {problem}", "не открывается: {problem}"),
    "database old": (
        "PostgreSQL {version} застарів, потрібна версія {oldest} або новіша.",
        "PostgreSQL {version} is too old: {oldest} or later is needed.",
        "PostgreSQL {version} устарел, нужна версия {oldest} или новее.",
    ),
    "database rights": (
        "користувач бази не може створювати таблиці.",
        "the database's user may not make tables.",
        "пользователь базы не может создавать таблицы.",
    ),
    "api fine": (
        "ключ прийнято, API {version}, {url}.",
        "the key was taken, API {version}, {url}.",
        "ключ принят, API {version}, {url}.",
    ),
    "quota busy": (
        "квоту зараз використовують інші: {problem}",
        "others use the quota now: {problem}",
        "квоту сейчас используют другие: {problem}",
    ),
    "clock fine": (
        "годинник цього комп’ютера йде правильно.",
        "this computer’s clock is right.",
        "часы этого компьютера идут верно.",
    ),
    "clock off": (
        "годинник цього комп’ютера розходиться з годинником сервера на {seconds} с.",
        "this computer’s clock and the server’s are {seconds} s apart.",
        "часы этого компьютера расходятся с часами сервера на {seconds} с.",
    ),
    "zone fine": (
        "TIMEZONE {zone} пасує до вчорашніх дзвінків ({count}).",
        "TIMEZONE {zone} fits yesterday’s calls ({count}).",
        "TIMEZONE {zone} подходит к вчерашним звонкам ({count}).",
    ),
    "zone other day": (
        "за TIMEZONE {zone} вчорашні дзвінки належать іншому дню: {count}.",
        "by TIMEZONE {zone}, so many of yesterday’s calls are of another day: {count}.",
        "по TIMEZONE {zone} вчерашние звонки относятся к другому дню: {count}.",
    ),
    "zone night": (
        "за TIMEZONE {zone} {count} із {all} вчорашніх дзвінків були вночі.",
        "by TIMEZONE {zone}, {count} of yesterday’s {all} calls came at night.",
        "по TIMEZONE {zone} {count} из {all} вчерашних звонков были ночью.",
    ),
    "no calls yesterday": (
        "учора не було жодного дзвінка.",
        "there was not one call yesterday.",
        "вчера не было ни одного звонка.",
    ),
    "mail nobody": (
        "REPORT_TO, ALERT_TO й ADMIN_TO порожні, тож пошти не отримає ніхто.",
        "REPORT_TO, ALERT_TO and ADMIN_TO are empty, so nobody gets mail.",
        "REPORT_TO, ALERT_TO и ADMIN_TO пусты, поэтому почту не получит никто.",
    ),
    "admin nobody": (
        "ADMIN_TO порожній: якщо завдання не вдасться, про це ніхто не дізнається.",
        "ADMIN_TO is empty: when a job fails, nobody is told.",
        "ADMIN_TO пуст: если задание не удастся, об этом никто не узнает.",
    ),
    "mail fine": (
        "{server} приймає листи від нас для {count} адреси|{server} приймає листи від нас для {count} адрес"
        "|{server} приймає листи від нас для {count} адрес",
        "{server} takes our mails to {count} address|{server} takes our mails to {count} addresses",
        "{server} принимает письма от нас для {count} адреса|{server} принимает письма от нас для {count} адресов"
        "|{server} принимает письма от нас для {count} адресов",
    ),
    "chats fine": ("адреси зрозумілі: {names}.", "the addresses are understood: {names}.", "адреса понятны: {names}."),
    "chats none": ("жодного чату не вказано.", "none is named.", "ни одного чата не указано."),
    "recordings off": ("їх завантаження не заплановано.", "no download is scheduled.", "их загрузка не запланирована."),
    "recordings new": (
        "{path} ще немає, її буде створено.",
        "{path} is not there yet: it is made.",
        "{path} ещё нет, она будет создана.",
    ),
    "recordings fine": (
        "файл записано, прочитано й видалено.",
        "a file was written, read and deleted.",
        "файл записан, прочитан и удалён.",
    ),
    "recordings differ": (
        "прочитано не те, що записано.",
        "what was read is not what was written.",
        "прочитано не то, что записано.",
    ),
    "due": (
        "{job} ({line}) — далі {moment}.",
        "{job} ({line}): next {moment}.",
        "{job} ({line}) — следующий раз {moment}.",
    ),
    "nothing scheduled": (
        "жодного рядка SCHEDULE_ не заповнено.",
        "no SCHEDULE_ line is filled in.",
        "ни одна строка SCHEDULE_ не заполнена.",
    ),
    "loop runs": ("run_schedule.py працює.", "run_schedule.py is running.", "run_schedule.py работает."),
    "loop stopped": ("run_schedule.py не працює.", "run_schedule.py is not running.", "run_schedule.py не работает."),
    "started twice": (
        "те саме запускає ще й cron або systemd: {jobs}.",
        "cron or systemd starts these, too: {jobs}.",
        "то же самое запускает ещё и cron или systemd: {jobs}.",
    ),
    "sent": ("надіслано: {whom}.", "sent: {whom}.", "отправлено: {whom}."),
    "ask key": ("Ключ API (з листа Binotel)", "API key (from Binotel’s letter)", "Ключ API (из письма Binotel)"),
    "ask secret": ("Секрет API", "API secret", "Секрет API"),
    "ask zone": ("Часовий пояс облікового запису", "The account’s time zone", "Часовой пояс учётной записи"),
    "ask again": (
        "Спробувати ще раз? (+ так, - залишити як є)",
        "Try again? (+ yes, - keep it as it is)",
        "Попробовать ещё раз? (+ да, - оставить как есть)",
    ),
    "ask report to": (
        "Кому надсилати звіти (адреси через кому; Enter — нікому)",
        "Who gets the reports (addresses with commas; Enter for nobody)",
        "Кому присылать отчёты (адреса через запятую; Enter — никому)",
    ),
    "ask sender": ("З якої адреси надсилати", "From which address to send", "С какого адреса отправлять"),
    "ask server": (
        "Поштовий сервер (SMTP), з :465 для TLS",
        "Mail server (SMTP), with :465 for TLS",
        "Почтовый сервер (SMTP), с :465 для TLS",
    ),
    "ask password": (
        "Пароль до неї (для Gmail — пароль програми)",
        "Its password (for Gmail an app password)",
        "Пароль к нему (для Gmail — пароль приложения)",
    ),
    "ask chats": (
        "Чат для сповіщень про втрачені дзвінки, наприклад tgram://ТОКЕН/ID (Enter — жодного)",
        "Chat for alerts of lost calls, such as tgram://TOKEN/ID (Enter for none)",
        "Чат для оповещений о потерянных звонках, например tgram://ТОКЕН/ID (Enter — никакого)",
    ),
    "ask morning": (
        "О котрій надсилати звіт за вчора",
        "When to send yesterday’s report",
        "Во сколько присылать отчёт за вчера",
    ),
    "ask written": ("Записано: {path}", "Written: {path}", "Записано: {path}"),
    "ask start": (
        "Щоб розклад запускався разом із комп’ютером, виконайте один раз:\n    {command}",
        "To have the jobs start with the computer, run this once:\n    {command}",
        "Чтобы расписание запускалось вместе с компьютером, выполните один раз:\n    {command}",
    ),
    "fix network": (
        "Перевірте мережу й брандмауер і повторіть перевірку.",
        "Check the network and the firewall, and check again.",
        "Проверьте сеть и брандмауэр и повторите проверку.",
    ),
    "fix report": (
        "Це помилка скриптів: надішліть цей рядок їхнім авторам.",
        "That is a fault of these scripts: please report this line.",
        "Это ошибка скриптов: отправьте эту строку их авторам.",
    ),
    "fix packages": (
        "Виконайте make setup (у Windows: .venv\\Scripts\\pip install -r requirements.txt) і запускайте скрипти "
        "програмою Python із .venv.",
        "Run make setup (on Windows: .venv\\Scripts\\pip install -r requirements.txt), and start the scripts with the "
        "Python in .venv.",
        "Выполните make setup (в Windows: .venv\\Scripts\\pip install -r requirements.txt) и запускайте скрипты "
        "программой Python из .venv.",
    ),
    "fix config": (
        "Виправте це у файлі налаштувань; config.example.env пояснює кожен ключ.",
        "Mend that in the configuration; config.example.env explains each key.",
        "Исправьте это в файле настроек; config.example.env объясняет каждый ключ.",
    ),
    "fix config warning": (
        "Файл налаштувань містить секрети: chmod 600 config.env.",
        "The configuration holds secrets: chmod 600 config.env.",
        "Файл настроек содержит секреты: chmod 600 config.env.",
    ),
    "fix folder": (
        "Дайте користувачеві {user} право записувати туди (chown або chmod) або вкажіть у {key} іншу папку.",
        "Let the user {user} write there (chown or chmod), or name another folder in {key}.",
        "Дайте пользователю {user} право записывать туда (chown или chmod) или укажите в {key} другую папку.",
    ),
    "fix disk": (
        "Звільніть місце або перенесіть папки на інший диск.",
        "Make room, or move the folders to another disk.",
        "Освободите место или перенесите папки на другой диск.",
    ),
    "fix database file": (
        "Поверніть файл із резервної копії; якщо її немає, приберіть файл: його буде створено наново.",
        "Bring the file back from a copy; without one, move it away: it is made anew.",
        "Верните файл из резервной копии; если её нет, уберите файл: он будет создан заново.",
    ),
    "fix database busy": (
        "Базу тримає інша програма. Зачекайте, доки вона закінчить, або завершіть її; файл не чіпайте.",
        "Another program holds the database. Wait until it is done, or end it; leave the file where it is.",
        "Базу держит другая программа. Подождите, пока она закончит, или завершите её; файл не трогайте.",
    ),
    "fix database server": (
        "Перевірте DATABASE_URL: адресу, користувача, пароль і назву бази; і чи працює сервер.",
        "Check DATABASE_URL: the address, the user, the password and the database’s name; and whether the server runs.",
        "Проверьте DATABASE_URL: адрес, пользователя, пароль и имя базы; и работает ли сервер.",
    ),
    "fix database old": (
        "Оновіть сервер PostgreSQL.",
        "Upgrade the PostgreSQL server.",
        "Обновите сервер PostgreSQL.",
    ),
    "fix database rights": (
        "Виконайте на сервері: GRANT CREATE, USAGE ON SCHEMA public TO користувач.",
        "Run on the server: GRANT CREATE, USAGE ON SCHEMA public TO the user.",
        "Выполните на сервере: GRANT CREATE, USAGE ON SCHEMA public TO пользователь.",
    ),
    "fix key": (
        "Скопіюйте BINOTEL_KEY і BINOTEL_SECRET з листа Binotel ще раз, без пробілів. Якщо ключ іншої версії API, "
        "змініть кінець BINOTEL_API_URL: /api/2.0 або /api/4.0.",
        "Copy BINOTEL_KEY and BINOTEL_SECRET again from Binotel’s letter, without spaces. If the key is one of the "
        "other version of the API, change the end of BINOTEL_API_URL: /api/2.0 or /api/4.0.",
        "Скопируйте BINOTEL_KEY и BINOTEL_SECRET из письма Binotel ещё раз, без пробелов. Если ключ другой версии API, "
        "измените конец BINOTEL_API_URL: /api/2.0 или /api/4.0.",
    ),
    "fix quota": (
        "Ключем користується ще щось. Зачекайте хвилину; хай усі, хто ним користується, мають одну DATABASE_URL.",
        "Something else uses the key. Wait a minute; let all that use it share one DATABASE_URL.",
        "Ключом пользуется ещё что-то. Подождите минуту; пусть все, кто им пользуется, имеют одну DATABASE_URL.",
    ),
    "fix account": (
        "Обліковий запис компанії вимкнено: напишіть на support@binotel.ua.",
        "The company’s account is disabled: write to support@binotel.ua.",
        "Учётная запись компании отключена: напишите на support@binotel.ua.",
    ),
    "fix secret": (
        "Скопіюйте BINOTEL_SECRET з листа Binotel ще раз; якщо він правильний, між нами й Binotel хтось змінює "
        "відповіді.",
        "Copy BINOTEL_SECRET again from Binotel’s letter; if it is right, something in between changes the answers.",
        "Скопируйте BINOTEL_SECRET из письма Binotel ещё раз; если он верный, между нами и Binotel кто-то меняет "
        "ответы.",
    ),
    "fix clock": (
        "Увімкніть синхронізацію часу: timedatectl set-ntp true; у Windows — «Параметри дати й часу».",
        "Have the clock set by the network: timedatectl set-ntp true; on Windows, Date & time settings.",
        "Включите синхронизацию времени: timedatectl set-ntp true; в Windows — «Параметры даты и времени».",
    ),
    "fix support": (
        "Якщо незрозуміло, покажіть це повідомлення підтримці: support@binotel.ua.",
        "If that is not clear, show this message to support@binotel.ua.",
        "Если непонятно, покажите это сообщение поддержке: support@binotel.ua.",
    ),
    "fix tls": (
        "Оновіть кореневі сертифікати (пакет ca-certificates). Якщо трафік перевіряє проксі вашої компанії, вкажіть "
        "його сертифікат у REQUESTS_CA_BUNDLE.",
        "Update the root certificates (the package ca-certificates). If a proxy of your company looks into the "
        "traffic, name its certificate in REQUESTS_CA_BUNDLE.",
        "Обновите корневые сертификаты (пакет ca-certificates). Если трафик проверяет прокси вашей компании, укажите "
        "его сертификат в REQUESTS_CA_BUNDLE.",
    ),
    "fix name": (
        "Перевірте інтернет, DNS і BINOTEL_API_URL.",
        "Check the internet connection, DNS and BINOTEL_API_URL.",
        "Проверьте интернет, DNS и BINOTEL_API_URL.",
    ),
    "fix proxy": ("Перевірте HTTPS_PROXY.", "Check HTTPS_PROXY.", "Проверьте HTTPS_PROXY."),
    "fix ip": (
        "Перевірте мережу, брандмауер і BINOTEL_API_URL. Якщо вони справні, повідомте support@binotel.ua IP-адресу "
        "цього сервера: Binotel відповідає лише зареєстрованим.",
        "Check the network, the firewall and BINOTEL_API_URL. If they are right, tell support@binotel.ua this "
        "server’s IP address: Binotel answers registered ones alone.",
        "Проверьте сеть, брандмауэр и BINOTEL_API_URL. Если они исправны, сообщите support@binotel.ua IP-адрес этого "
        "сервера: Binotel отвечает только зарегистрированным.",
    ),
    "fix later": (
        "У Binotel збій: повторіть перевірку пізніше.",
        "Binotel is in trouble: check again later.",
        "У Binotel сбой: повторите проверку позже.",
    ),
    "fix address": (
        "Перевірте BINOTEL_API_URL і чи не відповідає замість Binotel проксі або брандмауер.",
        "Check BINOTEL_API_URL, and whether a proxy or a firewall answers in Binotel’s place.",
        "Проверьте BINOTEL_API_URL и не отвечает ли вместо Binotel прокси или брандмауэр.",
    ),
    "fix zone": (
        "Вкажіть у TIMEZONE часовий пояс облікового запису, як-от Europe/Kyiv чи Asia/Almaty.",
        "Write the account’s time zone into TIMEZONE, such as Europe/Kyiv or Asia/Almaty.",
        "Укажите в TIMEZONE часовой пояс учётной записи, например Europe/Kyiv или Asia/Almaty.",
    ),
    "fix no calls": (
        "Якщо вчора був робочий день, перевірте, чи це ключ вашої компанії.",
        "If yesterday was a working day, check whether the key is your company’s.",
        "Если вчера был рабочий день, проверьте, ключ ли это вашей компании.",
    ),
    "fix mail nobody": (
        "Впишіть адреси в REPORT_TO й ADMIN_TO, якщо звіти мають надходити поштою.",
        "Fill in REPORT_TO and ADMIN_TO if reports are to come by mail.",
        "Впишите адреса в REPORT_TO и ADMIN_TO, если отчёты должны приходить по почте.",
    ),
    "fix admin nobody": (
        "Впишіть свою адресу в ADMIN_TO.",
        "Fill in your address as ADMIN_TO.",
        "Впишите свой адрес в ADMIN_TO.",
    ),
    "fix mail": (
        "Перевірте SMTP_HOST, SMTP_PORT і SMTP_SECURITY, мережу й брандмауер.",
        "Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY, the network and the firewall.",
        "Проверьте SMTP_HOST, SMTP_PORT и SMTP_SECURITY, сеть и брандмауэр.",
    ),
    "fix mail name": (
        "Перевірте SMTP_HOST та інтернет.",
        "Check SMTP_HOST and the internet connection.",
        "Проверьте SMTP_HOST и интернет.",
    ),
    "fix mail tls": (
        "Перевірте пару SMTP_SECURITY і SMTP_PORT (starttls — 587, tls — 465) і сертифікат сервера.",
        "Check that SMTP_SECURITY goes with SMTP_PORT (starttls 587, tls 465), and the server’s certificate.",
        "Проверьте пару SMTP_SECURITY и SMTP_PORT (starttls — 587, tls — 465) и сертификат сервера.",
    ),
    "fix login": (
        "Перевірте SMTP_USER і SMTP_PASSWORD; Gmail і Outlook потребують пароля програми.",
        "Check SMTP_USER and SMTP_PASSWORD; Gmail and Outlook want an app password.",
        "Проверьте SMTP_USER и SMTP_PASSWORD; Gmail и Outlook требуют пароль приложения.",
    ),
    "fix sender": (
        "Перевірте MAIL_FROM: сервер дозволяє не кожного відправника.",
        "Check MAIL_FROM: the server does not let everybody be the sender.",
        "Проверьте MAIL_FROM: сервер разрешает не каждого отправителя.",
    ),
    "fix recipient": (
        "Перевірте цю адресу в REPORT_TO, ALERT_TO й ADMIN_TO.",
        "Check that address in REPORT_TO, ALERT_TO and ADMIN_TO.",
        "Проверьте этот адрес в REPORT_TO, ALERT_TO и ADMIN_TO.",
    ),
    "fix chat": (
        "Перевірте адресу чату в ALERT_URLS або SUMMARY_URLS.",
        "Check the chat’s address in ALERT_URLS or SUMMARY_URLS.",
        "Проверьте адрес чата в ALERT_URLS или SUMMARY_URLS.",
    ),
    "fix recordings": (
        "Перевірте RECORDS_URL, ключі доступу до сховища й права на запис.",
        "Check RECORDS_URL, the keys of the bucket, and the right to write there.",
        "Проверьте RECORDS_URL, ключи доступа к хранилищу и права на запись.",
    ),
    "fix schedule": (
        "Заповніть рядки SCHEDULE_ або запускайте скрипти з cron.",
        "Fill in SCHEDULE_ lines, or start the scripts from cron.",
        "Заполните строки SCHEDULE_ или запускайте скрипты из cron.",
    ),
    "fix loop": (
        "Запустіть його службою: deploy/ і docs/ показують, як.",
        "Start it as a service: deploy/ and docs/ show how.",
        "Запустите его службой: deploy/ и docs/ показывают, как.",
    ),
    "fix twice": (
        "Залиште щось одне: рядок SCHEDULE_ або рядок cron.",
        "Leave one of them: the SCHEDULE_ line, or cron’s.",
        "Оставьте что-то одно: строку SCHEDULE_ или строку cron.",
    ),
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
    "week": ("Тиждень", "Week", "Неделя"),
    "month": ("Місяць", "Month", "Месяц"),
    "weekday": ("День тижня", "Weekday", "День недели"),
    "hour": ("Година", "Hour", "Час"),
    "direction": ("Напрямок", "Direction", "Направление"),
    "number": ("Номер", "Number", "Номер"),
    "name": ("Ім’я", "Name", "Имя"),
    "customer": ("Клієнт", "Customer", "Клиент"),
    "new or repeat": ("Новий", "New", "Новый"),
    "employee": ("Працівник", "Employee", "Сотрудник"),
    "line": ("Лінія", "Line", "Линия"),
    "group": ("Група", "Group", "Группа"),
    "result": ("Результат", "Result", "Результат"),
    "what became": ("Чи передзвонили", "Called back?", "Перезвонили ли"),
    "wait": ("Очікування", "Wait", "Ожидание"),
    "talk": ("Розмова", "Talk", "Разговор"),
    "our number": ("Наш номер", "Our number", "Наш номер"),
    "our number's name": ("Назва номера", "Number's name", "Название номера"),
    "source": ("Джерело", "Source", "Источник"),
    "medium": ("Канал", "Medium", "Канал"),
    "campaign": ("Кампанія", "Campaign", "Кампания"),
    "site": ("Сайт", "Site", "Сайт"),
    "recording": ("Запис", "Recording", "Запись"),
    "call id": ("ID дзвінка", "Call ID", "ID звонка"),
    "id": ("ID", "ID", "ID"),
    "numbers": ("Номери", "Numbers", "Номера"),
    "description": ("Опис", "Description", "Описание"),
    "email": ("Ел. пошта", "E-mail", "Эл. почта"),
    "labels": ("Мітки", "Labels", "Метки"),
    "times": ("Скільки разів", "How often", "Сколько раз"),
    "state": ("Стан", "State", "Состояние"),
    "lost at": ("{count}×, востаннє {time}", "{count}×, last {time}", "{count}×, последний раз {time}"),
    "first time": ("Перший раз", "First time", "Первый раз"),
    "last time": ("Востаннє", "Last time", "Последний раз"),
    "rung": ("У кого дзвонило", "Rang at", "У кого звонило"),
    "message": ("Повідомлення", "Message", "Сообщение"),
    "ended": ("Поговорили", "Spoken to", "Поговорили"),
    "ended after": ("Через скільки", "After", "Через сколько"),
    "ended by": ("Хто поговорив", "By whom", "Кто поговорил"),
    "incoming calls": ("Вхідні", "Incoming", "Входящие"),
    "answered calls": ("Прийняті", "Answered", "Принятые"),
    "lost calls": ("Втрачені", "Lost", "Потерянные"),
    "answered percent": ("Прийняті, %", "Answered, %", "Принятые, %"),
    "change": ("Зміна, в. п.", "Change, pp", "Изменение, п. п."),
    "change in a week": ("За тиждень, в. п.", "In a week, pp", "За неделю, п. п."),
    "within": ("За {seconds} с, %", "Within {seconds} s, %", "За {seconds} с, %"),
    "new callers": ("Нові", "New callers", "Новые"),
    "rung in lost": ("Пропустили", "Missed", "Пропустили"),
    "picked up": ("Взяли слухавку, %", "Picked up, %", "Взяли трубку, %"),
    "outgoing calls": ("Вихідні", "Outgoing", "Исходящие"),
    "outgoing answered": ("Додзвонилися", "Reached", "Дозвонились"),
    "talk time": ("Час розмов", "Talk time", "Время разговоров"),
    "average talk": ("Середня розмова", "Average talk", "Средний разговор"),
    "callbacks": ("Передзвонили", "Called back", "Перезвонили"),
    "callers": ("Осіб", "Callers", "Человек"),
    # Values
    "incoming": ("вхідний", "incoming", "входящий"),
    "outgoing": ("вихідний", "outgoing", "исходящий"),
    "new": ("новий", "new", "новый"),
    "yes": ("є", "yes", "есть"),
    "listen": ("слухати", "listen", "слушать"),
    "no line": ("без лінії", "no line", "без линии"),
    "hidden number": ("прихований номер", "hidden number", "скрытый номер"),
    "no number": ("номер невідомий", "number unknown", "номер неизвестен"),
    # Dispositions; unknown ones are shown as they are
    "ANSWER": ("розмова", "talked", "разговор"),
    "TRANSFER": ("розмова, переадресовано", "talked, transferred", "разговор, переадресован"),
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

# English as it is written where these reports are read: 3 May 2024, 09:05.
_LOCALES = ("uk", "en_GB", "ru")
# "than the Wednesday before": neither Ukrainian nor Russian can make it of the day's name alone.
_WEEKDAYS_BEFORE = (
    (
        "попереднього понеділка",
        "попереднього вівторка",
        "попередньої середи",
        "попереднього четверга",
        "попередньої п’ятниці",
        "попередньої суботи",
        "попередньої неділі",
    ),
    tuple(f"on the {day} before" for day in "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    (
        "в предыдущий понедельник",
        "в предыдущий вторник",
        "в предыдущую среду",
        "в предыдущий четверг",
        "в предыдущую пятницу",
        "в предыдущую субботу",
        "в предыдущее воскресенье",
    ),
)
Day = date  # where a method is called date
_PLURALS = ("one", "few", "many", "other")
_DURATIONS: tuple[Literal["short", "narrow"], ...] = (
    "short",
    "narrow",
    "short",
)  # Babel's: "2 hrs 5 mins" reads no better than "2h 5m"
_PARTS_OF_DURATION = 2
# Few fonts have narrow spaces; and one apostrophe is enough for Ukrainian.
_READABLE = str.maketrans("\u202f\u2009\u02bc", "\xa0\xa0’")


class Labels:
    """The words of one language: `labels["number"]`, `labels.format("subject", day=...)`; formats are Babel's."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)
        self._locale = Locale.parse(_LOCALES[self._column])

    def __getitem__(self, name: str) -> str:
        return _WORDS[name][self._column]

    def format(self, name: str, *, count: float | None = None, **values: object) -> str:
        """A text with its places filled in; `count` also chooses between its plural forms, where it has some."""
        forms = self[name].split("|")
        form = forms[0]
        if len(forms) > 1 and count is not None:
            form = forms[min(self._plural(count), len(forms) - 1)]
        if count is not None:
            values["count"] = self.number(count)
        return form.format(**values)

    def _plural(self, count: float) -> int:
        """Which form goes with a number: English has two (one, other), the others four."""
        # 6.0 is shown as 6, and said as it.
        plural = self._locale.plural_form(int(count) if count == int(count) else Decimal(str(count)))
        return ("one", "other").index(plural) if self.language == "en" else _PLURALS.index(plural)

    def disposition(self, disposition: str) -> str:
        """What became of a call; a disposition that we do not know is shown as it is, and "" is one that rings."""
        disposition = disposition or "CALLING"
        return self[disposition] if disposition in _WORDS and disposition.isupper() else disposition

    def number(self, number: float) -> str:
        """1 234 or 4,2."""
        return format_decimal(Decimal(str(number)), locale=self._locale).translate(_READABLE)

    def percent(self, percent: float | None) -> str:
        """76,6 %, 76.6%; — for what there is not."""
        if percent is None:
            return "—"
        share = Decimal(str(percent)) / 100
        return format_percent(share, locale=self._locale, decimal_quantization=False).translate(_READABLE)

    def date(self, day: Day) -> str:
        """3 трав. 2024 р., 3 May 2024."""
        return self._of_day(day, "medium")

    def full_date(self, day: Day) -> str:
        """п’ятниця, 3 травня 2024 р."""
        return self._of_day(day, "full")

    def day_and_month(self, day: Day) -> str:
        """3 трав."""
        return self._of_day(day, self._locale.datetime_skeletons["MMMd"].pattern)

    def month(self, day: Day) -> str:
        """травень 2024 р."""
        return self._of_day(day, self._locale.datetime_skeletons["yMMMM"].pattern)

    def of_month(self, day: Day) -> str:
        """травня 2024 р."""
        return self._of_day(day, self._locale.datetime_skeletons["yMMMM"].pattern.replace("L", "M"))

    def days(self, first: Day, last: Day) -> str:
        """3–9 трав. 2024 р."""
        return format_interval(first, last, "yMMMd", locale=self._locale).translate(_READABLE)

    def _of_day(self, day: Day, form: str) -> str:
        return format_date(day, form, locale=self._locale).translate(_READABLE)

    def short_weekday(self, weekday: int) -> str:
        """The name of a day of the week; 0 is Monday."""
        return str(self._locale.days["stand-alone"]["abbreviated"][weekday]).capitalize()

    def weekday_before(self, weekday: int) -> str:
        """When it was the week before: попередньої середи, on the Wednesday before."""
        return _WEEKDAYS_BEFORE[self._column][weekday]

    def time(self, moment: datetime) -> str:
        return format_time(moment.replace(tzinfo=None), "short", locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """3 трав. 2024 р., 09:30."""
        return f"{self.date(moment)}, {self.time(moment)}"

    def short_moment(self, moment: datetime) -> str:
        """3 трав., 09:30."""
        return f"{self.day_and_month(moment)}, {self.time(moment)}"

    @property
    def excel_short_date_format(self) -> str:
        """The same without the year."""
        return self._excel_format("Md")

    @property
    def excel_date_format(self) -> str:
        """Of a day, as Excel spells it: dd.mm.yyyy; d mmm yyyy where readers differ in what comes first."""
        return self._excel_format("yMd").replace("y", "yyyy")

    def _excel_format(self, skeleton: str) -> str:
        if self.language == "en":
            skeleton = skeleton.replace("M", "MMM")
        pattern: str = self._locale.datetime_skeletons[skeleton].pattern
        return pattern.replace("M", "m")

    def duration(self, seconds: float | None, *, in_days: bool = True) -> str:
        """A duration in words, as exact as its size asks for: 3 дні 4 год, 2 год 5 хв, 5 хв 20 с, 20 с.

        in_days: whether days are told apart; else it is 76 год 5 хв
        """
        if seconds is None:
            return "—"
        left = round(seconds)
        words: list[str] = []
        units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
        for unit, size in units if in_days else units[1:]:
            count, left = divmod(left, size)
            if count or (unit == "second" and not words):
                words.append(format_unit(count, f"duration-{unit}", _DURATIONS[self._column], locale=self._locale))
            if len(words) == _PARTS_OF_DURATION or (words and not count):
                break
        return " ".join(words).translate(_READABLE)
