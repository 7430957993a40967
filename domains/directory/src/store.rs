//! All SQL of the directory.

use garrison_base::{GrantId, GroupId, NodeId, PathName, PersonId, PostId, ServiceId};
use garrison_kernel::{
    Act, ActorId, Holder, KernelError, Permit, ReadTx, Row, Scoped, Tenanted, Value, WriteTx, scoped,
    tenanted,
};

use crate::acts::{
    AddMember, ChangePerson, CreateGroup, CreatePerson, CreatePost, CreateService, RemoveMember,
};
use crate::model::{Group, HistoryEntry, Member, Person, Post, Service};

/// Notes what happened to a node.
pub(crate) async fn note<A: Act>(
    tx: &mut WriteTx<'_>,
    permit: &Permit<A>,
    (node, what, before, after): (NodeId, &str, &str, &str),
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_node_history (tenant, node_id, at, place, what, before, after, actor)
         VALUES ({tenant}, $2, $3, (SELECT COUNT(*) FROM directory_node_history h WHERE h.node_id = $2), $4, $5, $6, $7)"
    );
    let args = vec![
        Value::text(node),
        permit.now().into(),
        what.into(),
        before.into(),
        after.into(),
        Value::text(permit.actor().id),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// The node of this name directly under another, and whether it is marked as production.
pub(crate) async fn child(
    tx: &mut WriteTx<'_>,
    parent: NodeId,
    name: &PathName,
) -> Result<Option<(NodeId, bool)>, KernelError> {
    const ONE: Tenanted = tenanted!(
        "SELECT node_id, production FROM node WHERE tenant = {tenant} AND parent = $2 AND name = $3 AND state = 'live'"
    );
    let row = tx.row(ONE, vec![Value::text(parent), name.as_str().into()]).await?;
    row.map(|row| Ok((row.get(0)?, row.get::<i64>(1)? != 0))).transpose()
}

pub(crate) async fn history(tx: &mut ReadTx<'_>, node: NodeId) -> Result<Vec<HistoryEntry>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT h.at, h.what, h.before, h.after, h.actor FROM directory_node_history h
         WHERE {scope:h} AND h.node_id = $2 ORDER BY h.at DESC, h.place DESC LIMIT 500"
    );
    let entry = |row: &Row| {
        Ok(HistoryEntry {
            at: row.get(0)?,
            what: row.get(1)?,
            before: row.get(2)?,
            after: row.get(3)?,
            actor: row.get(4)?,
        })
    };
    tx.rows(ALL, vec![Value::text(node)]).await?.iter().map(entry).collect()
}

pub(crate) async fn add_person(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreatePerson>,
    id: PersonId,
    new: &CreatePerson,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_person (person, tenant, node_id, name, full_name, email, state, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6, 'active', $7)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.name.as_str().into(),
        new.full_name.as_str().into(),
        new.email.as_str().into(),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn change_person(tx: &mut WriteTx<'_>, to: &ChangePerson) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE directory_person SET full_name = $3, email = $4 WHERE tenant = {tenant} AND person = $2"
    );
    let args = vec![Value::text(to.person), to.full_name.as_str().into(), to.email.as_str().into()];
    tx.run(SET, args).await.map(|_| ())
}

pub(crate) async fn set_person_state(
    tx: &mut WriteTx<'_>,
    id: PersonId,
    state: &str,
) -> Result<(), KernelError> {
    const SET: Tenanted =
        tenanted!("UPDATE directory_person SET state = $3 WHERE tenant = {tenant} AND person = $2");
    tx.run(SET, vec![Value::text(id), state.into()]).await.map(|_| ())
}

fn read_person(row: &Row) -> Result<Person, KernelError> {
    Ok(Person {
        id: row.get(0)?,
        name: row.get(1)?,
        full_name: row.get(2)?,
        email: row.get(3)?,
        state: row.get(4)?,
        created: row.get(5)?,
    })
}

/// A person by id or name.
pub(crate) async fn person(tx: &mut ReadTx<'_>, who: &str) -> Result<Person, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT p.person, p.name, p.full_name, p.email, p.state, p.created FROM directory_person p
         WHERE {scope:p} AND (p.person = $2 OR p.name = $2)"
    );
    read_person(&tx.row(ONE, vec![who.into()]).await?.ok_or(KernelError::NotFound)?)
}

/// Persons by name, after `after`, whose name, full name or address holds a text.
pub(crate) async fn persons(
    tx: &mut ReadTx<'_>,
    text: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Person>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT p.person, p.name, p.full_name, p.email, p.state, p.created FROM directory_person p
         WHERE {scope:p} AND p.name > $2 AND (p.name LIKE $3 ESCAPE '!' OR LOWER(p.full_name) LIKE $3 ESCAPE '!' OR p.email LIKE $3 ESCAPE '!')
         ORDER BY p.name LIMIT $4"
    );
    let rows = tx.rows(PAGE, vec![after.into(), contains(text).into(), limit.into()]).await?;
    rows.iter().map(read_person).collect()
}

/// A LIKE pattern for a text anywhere.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for char in text.to_lowercase().chars() {
        if matches!(char, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(char);
    }
    pattern.push('%');
    pattern
}

pub(crate) async fn add_service(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreateService>,
    id: ServiceId,
    new: &CreateService,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_service (service, tenant, node_id, name, owner, purpose, state, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6, 'active', $7)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.name.as_str().into(),
        Value::text(new.owner),
        new.purpose.as_str().into(),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn set_service_state(
    tx: &mut WriteTx<'_>,
    id: ServiceId,
    state: &str,
) -> Result<(), KernelError> {
    const SET: Tenanted =
        tenanted!("UPDATE directory_service SET state = $3 WHERE tenant = {tenant} AND service = $2");
    tx.run(SET, vec![Value::text(id), state.into()]).await.map(|_| ())
}

pub(crate) async fn set_service_owner(
    tx: &mut WriteTx<'_>,
    id: ServiceId,
    owner: PersonId,
) -> Result<(), KernelError> {
    const SET: Tenanted =
        tenanted!("UPDATE directory_service SET owner = $3 WHERE tenant = {tenant} AND service = $2");
    tx.run(SET, vec![Value::text(id), Value::text(owner)]).await.map(|_| ())
}

pub(crate) async fn services(
    tx: &mut ReadTx<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<Service>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT s.service, s.name, s.owner, s.purpose, s.state, s.created FROM directory_service s
         WHERE {scope:s} AND s.name > $2 ORDER BY s.name LIMIT $3"
    );
    let service = |row: &Row| {
        Ok(Service {
            id: row.get(0)?,
            name: row.get(1)?,
            owner: row.get(2)?,
            purpose: row.get(3)?,
            state: row.get(4)?,
            created: row.get(5)?,
        })
    };
    tx.rows(PAGE, vec![after.into(), limit.into()]).await?.iter().map(service).collect()
}

pub(crate) async fn add_group(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreateGroup>,
    id: GroupId,
    new: &CreateGroup,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_group (grp, tenant, node_id, name, purpose, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.name.as_str().into(),
        new.purpose.as_str().into(),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn groups(tx: &mut ReadTx<'_>, after: &str, limit: i64) -> Result<Vec<Group>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT g.grp, g.name, g.purpose, (SELECT COUNT(*) FROM directory_member m WHERE m.grp = g.grp), g.created
         FROM directory_group g WHERE {scope:g} AND g.name > $2 ORDER BY g.name LIMIT $3"
    );
    let group = |row: &Row| {
        Ok(Group {
            id: row.get(0)?,
            name: row.get(1)?,
            purpose: row.get(2)?,
            members: row.get(3)?,
            created: row.get(4)?,
        })
    };
    tx.rows(PAGE, vec![after.into(), limit.into()]).await?.iter().map(group).collect()
}

pub(crate) async fn add_member(
    tx: &mut WriteTx<'_>,
    permit: &Permit<AddMember>,
    new: &AddMember,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_member (grp, member, tenant, node_id, since) VALUES ($2, $3, {tenant}, $4, $5)"
    );
    let args = vec![
        Value::text(new.group),
        Value::text(new.member),
        Value::text(permit.node()),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

pub(crate) async fn remove_member(
    tx: &mut WriteTx<'_>,
    _: &Permit<RemoveMember>,
    old: &RemoveMember,
) -> Result<(), KernelError> {
    const REMOVE: Tenanted =
        tenanted!("DELETE FROM directory_member WHERE tenant = {tenant} AND grp = $2 AND member = $3");
    match tx.run(REMOVE, vec![Value::text(old.group), Value::text(old.member)]).await? {
        0 => Err(KernelError::NotFound),
        _ => Ok(()),
    }
}

pub(crate) async fn members(tx: &mut ReadTx<'_>, group: GroupId) -> Result<Vec<Member>, KernelError> {
    const ALL: Scoped = scoped!(
        "SELECT m.member, a.name, m.since FROM directory_member m JOIN actor a ON a.actor = m.member
         WHERE {scope:m} AND m.grp = $2 ORDER BY a.name LIMIT 10000"
    );
    let member = |row: &Row| Ok(Member { id: row.get(0)?, name: row.get(1)?, since: row.get(2)? });
    tx.rows(ALL, vec![Value::text(group)]).await?.iter().map(member).collect()
}

pub(crate) async fn add_post(
    tx: &mut WriteTx<'_>,
    permit: &Permit<CreatePost>,
    id: PostId,
    new: &CreatePost,
) -> Result<(), KernelError> {
    const ADD: Tenanted = tenanted!(
        "INSERT INTO directory_post (post, tenant, node_id, title, level, created)
         VALUES ($2, {tenant}, $3, $4, $5, $6)"
    );
    let args = vec![
        Value::text(id),
        Value::text(permit.node()),
        new.title.as_str().into(),
        Value::text(new.level),
        permit.now().into(),
    ];
    tx.run(ADD, args).await.map(|_| ())
}

/// Notes who fills a post, and the grant that came with it.
pub(crate) async fn set_post(
    tx: &mut WriteTx<'_>,
    post: PostId,
    filled: Option<(PersonId, GrantId)>,
) -> Result<(), KernelError> {
    const SET: Tenanted = tenanted!(
        "UPDATE directory_post SET person = $3, grant_id = $4 WHERE tenant = {tenant} AND post = $2"
    );
    let (person, grant) = (filled.map(|(person, _)| person), filled.map(|(_, grant)| grant));
    tx.run(SET, vec![Value::text(post), Value::maybe(person), Value::maybe(grant)]).await.map(|_| ())
}

/// The grant that came with a post: of its person, at its node, of its level. A row that names another one was
/// changed by hand.
pub(crate) async fn grant_of(tx: &mut WriteTx<'_>, post: &Post) -> Result<Option<GrantId>, KernelError> {
    let (Some(person), Some(grant)) = (post.person, post.grant) else { return Ok(None) };
    let holder = Holder::Actor(ActorId::Person(person));
    let held = tx.read().grants((Some(holder), Some(post.node)), false, ("", 500)).await?;
    let own = held.into_iter().find(|held| held.id == grant && held.role == post.level.to_string());
    Ok(own.map(|held| held.id))
}

fn read_post(tx: &ReadTx<'_>, row: &Row) -> Result<Post, KernelError> {
    let node = row.get(1)?;
    Ok(Post {
        id: row.get(0)?,
        node,
        path: tx.path(node),
        title: row.get(2)?,
        level: row.get(3)?,
        person: row.get(4)?,
        grant: row.get(5)?,
    })
}

pub(crate) async fn post(tx: &mut ReadTx<'_>, id: PostId) -> Result<Post, KernelError> {
    const ONE: Scoped = scoped!(
        "SELECT p.post, p.node_id, p.title, p.level, p.person, p.grant_id FROM directory_post p
         WHERE {scope:p} AND p.post = $2"
    );
    let row = tx.row(ONE, vec![Value::text(id)]).await?.ok_or(KernelError::NotFound)?;
    read_post(tx, &row)
}

pub(crate) async fn posts(
    tx: &mut ReadTx<'_>,
    node: Option<NodeId>,
    after: &str,
    limit: i64,
) -> Result<Vec<Post>, KernelError> {
    const PAGE: Scoped = scoped!(
        "SELECT p.post, p.node_id, p.title, p.level, p.person, p.grant_id FROM directory_post p
         WHERE {scope:p} AND p.post > $2 AND ($3 IS NULL OR p.node_id = $3) ORDER BY p.post LIMIT $4"
    );
    let rows = tx.rows(PAGE, vec![after.into(), Value::maybe(node), limit.into()]).await?;
    rows.iter().map(|row| read_post(tx, row)).collect()
}
